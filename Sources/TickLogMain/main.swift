#if !hasFeature(Embedded)
import CPosix
import TickLogTool

exit(toolMain(CommandLine.argc, CommandLine.unsafeArgv))
#endif

import CPosix

/// Processors that the process may run on, but no more than `most`.
func processorCount(most: Int) -> Int { min(max(Int(cposix_processors()), 1), most) }

/// A thread of the system.
public final class WorkThread {
    private var thread = pthread_t()

    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    public init(_ run: @escaping () -> Void) throws(FileError) {
        let body = Unmanaged.passRetained(Body(run))
        let status = pthread_create(&thread, nil, { context in
            Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
            return nil
        }, body.toOpaque())
        guard status == 0 else {
            body.release()
            throw FileError("thread", "start", status)
        }
    }

    /// Waits for its end; once.
    public func join() { _ = pthread_join(thread, nil) }
}

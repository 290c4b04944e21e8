import TickLog

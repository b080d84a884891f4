// ferrite-server [redis.conf] [--name value ...]

import Glibc
import Server

exit(runServer(CommandLine.arguments))

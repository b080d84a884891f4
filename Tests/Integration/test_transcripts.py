"""Every file of transcripts/ is played to the server and to redis-server, in RESP2 and RESP3; the
replies must be the same bytes. A new transcript is a new file there; this file finds it."""

import unittest
from pathlib import Path

from support import environment
from support.server import Server
from support.transcript import Transcript

DIRECTORY = Path(__file__).parent / "transcripts"


@unittest.skipUnless(environment.reference, "there is no redis-server to compare with")
class Transcripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        settings = {"enable-debug-command": "yes"}
        cls.server = Server(environment.server, environment.options(settings)).start()
        cls.judge = Server(environment.reference, settings).start()
        major, minor = (int(part) for part in
                        cls.server.info("server")["redis_version"].split(".")[:2])
        cls.is_older = (major, minor) < (7, 2)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.judge.stop()

    def play(self, path, resp):
        self.assertIsNone(self.server.process.poll(), "the server died in an earlier transcript")
        mismatches = Transcript(path).run(self.server.port, self.judge.port, resp, self.is_older)
        if self.server.process.poll() is not None:
            mismatches.append(f"the server died:\n{self.server.log_tail()}")
        self.assertEqual(len(mismatches), 0, "\n" + "\n".join(mismatches))


def _add(path, resp):
    def test(self):
        self.play(path, resp)
    setattr(Transcripts, f"test_{path.stem.replace('-', '_')}_resp{resp}", test)


for _path in sorted(DIRECTORY.glob("*.txt")):
    for _resp in (2, 3):
        _add(_path, _resp)

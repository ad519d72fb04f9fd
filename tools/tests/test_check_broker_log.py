# SPDX-License-Identifier: Apache-2.0
"""check-broker-log on lines as RabbitMQ 3.10 and 4.0 write them."""

import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent / "check-broker-log"
START = """\
2026-11-21 04:06:57.717703+00:00 [warning] <0.216.0> Classic peer discovery backend: list of nodes does not contain the local node []
2026-11-21 04:06:58.282334+00:00 [info] <0.538.0> Server startup complete; 6 plugins started.
"""
LAWFUL = """\
2026-11-21 04:07:00.260956+00:00 [error] <0.942.0> Channel error on connection <0.930.0> (127.0.0.1:55390 -> 127.0.0.1:5610, vhost: '/', user: 'app'), channel 1:
2026-11-21 04:07:00.260956+00:00 [error] <0.942.0> operation basic.consume caused a channel exception not_found: no queue 'nope' in vhost '/'
2026-11-21 04:07:00.261117+00:00 [warning] <0.927.0> Closing session for connection <0.920.0>:
2026-11-21 04:07:00.261117+00:00 [warning] <0.927.0> {'v1_0.error',{symbol,<<"amqp:not-found">>},
2026-11-21 04:07:00.261117+00:00 [warning] <0.927.0>               {utf8,<<"NOT_FOUND - no queue 'nope' in vhost '/'">>},
2026-11-21 04:07:00.261117+00:00 [warning] <0.927.0>               undefined}
2026-11-21 07:35:55.001961+00:00 [error] <0.2743.0>   crasher:
2026-11-21 07:35:55.001961+00:00 [error] <0.2743.0>     initial call: rabbit_reader:init/3
2026-11-21 07:35:55.001961+00:00 [error] <0.2743.0>     exception exit: {unexpected_message,
2026-11-21 07:35:55.001961+00:00 [error] <0.2743.0>                         {channel_exit,0,{writer,send_failed,{error,closed}}}}
2026-11-21 07:35:55.015574+00:00 [error] <0.2741.0>     supervisor: {<0.2741.0>,rabbit_connection_sup}
2026-11-21 07:35:55.015574+00:00 [error] <0.2741.0>     errorContext: child_terminated
2026-11-21 07:35:55.015574+00:00 [error] <0.2741.0>     reason: {unexpected_message,
2026-11-21 07:35:55.015574+00:00 [error] <0.2741.0>                 {channel_exit,0,{writer,send_failed,{error,closed}}}}
2026-11-21 07:35:55.015897+00:00 [error] <0.2741.0>     supervisor: {<0.2741.0>,rabbit_connection_sup}
2026-11-21 07:35:55.015897+00:00 [error] <0.2741.0>     errorContext: shutdown
2026-11-21 07:35:55.015897+00:00 [error] <0.2741.0>     reason: reached_max_restart_intensity
2026-11-21 07:35:55.015897+00:00 [error] <0.2741.0>     offender: [{pid,<0.2743.0>},
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     supervisor: {<0.1845.0>,rabbit_amqp1_0_session_sup_sup}
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     errorContext: shutdown_error
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     reason: shutdown
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     offender: [{nb_children,1},
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>                {id,session_sup},
2026-11-21 07:57:32.234352+00:00 [warning] <0.955.0> No link handle 0 exists for delivery with consumer tag <<"0">> from queue {resource,
2026-11-21 07:57:32.234352+00:00 [warning] <0.955.0>                                                                            <<"/">>,
"""
KILLED = """\
2026-11-21 04:07:09.807793+00:00 [warning] <0.1051.0> closing AMQP connection <0.1051.0> (127.0.0.1:55406 -> 127.0.0.1:5610):
2026-11-21 04:07:09.807793+00:00 [warning] <0.1051.0> client unexpectedly closed TCP connection
"""
KILLED_WHILE_WRITING = """\
2026-11-21 21:15:27.430385+00:00 [error] <0.25151.0>   crasher:
2026-11-21 21:15:27.430385+00:00 [error] <0.25151.0>     initial call: rabbit_reader:init/3
2026-11-21 21:15:27.430385+00:00 [error] <0.25151.0>     exception exit: {unexpected_message,
2026-11-21 21:15:27.430385+00:00 [error] <0.25151.0>                         {channel_exit,3,{writer,send_failed,{error,closed}}}}
"""
FAULTS = {
    "unexpectedly closed": KILLED,
    "reached_max_restart_intensity": """\
2026-11-21 07:35:55.015897+00:00 [error] <0.9999.0>     supervisor: {<0.9999.0>,rabbit_connection_sup}
2026-11-21 07:35:55.015897+00:00 [error] <0.9999.0>     errorContext: shutdown
2026-11-21 07:35:55.015897+00:00 [error] <0.9999.0>     reason: reached_max_restart_intensity
2026-11-21 07:35:55.015897+00:00 [error] <0.9999.0>     offender: [{pid,<0.9998.0>},
""",
    "badarg": """\
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     supervisor: {<0.1845.0>,rabbit_amqp1_0_session_sup_sup}
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     errorContext: shutdown_error
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     reason: badarg
2026-11-22 19:29:18.247975+00:00 [error] <0.1845.0>     offender: [{nb_children,1},
""",
    "internal-error": """\
2026-11-21 04:07:36.782722+00:00 [warning] <0.895.0> Closing session for connection <0.889.0>: {'v1_0.error',
2026-11-21 04:07:36.782722+00:00 [warning] <0.895.0>                                            {symbol,<<"amqp:internal-error">>},
2026-11-21 04:07:36.782722+00:00 [warning] <0.895.0>                                            undefined}
""",
    "login refused": """\
2026-11-21 04:07:26.394601+00:00 [error] <0.839.0> closing AMQP connection <0.839.0> (127.0.0.1:47908 -> 127.0.0.1:5640, duration: '6s'):
2026-11-21 04:07:26.394601+00:00 [error] <0.839.0> {handshake_error,waiting_sasl_init,
2026-11-21 04:07:26.394601+00:00 [error] <0.839.0>                                {utf8,<<"PLAIN login refused: user 'app'">>},
""",
    "function_clause": """\
2026-11-21 07:35:55.001961+00:00 [error] <0.2743.0>   crasher:
2026-11-21 07:35:55.001961+00:00 [error] <0.2743.0>     initial call: rabbit_reader:init/3
2026-11-21 07:35:55.001961+00:00 [error] <0.2743.0>     exception exit: {function_clause,
""",
    "Unattached handle": """\
2026-11-21 04:07:36.782722+00:00 [warning] <0.895.0> Closing session for connection <0.889.0>: Unattached handle
""",
}


class CheckBrokerLog(unittest.TestCase):
    def check(self, content, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
            log.write(content)
            log.flush()
            return subprocess.run([str(PROGRAM), *options, log.name], capture_output=True, text=True, timeout=120)

    def test_a_quiet_log(self):
        result = self.check(START)
        self.assertEqual((result.returncode, "0 complaints, 0 lawful" in result.stdout), (0, True), result.stdout)

    def test_what_a_lawful_run_causes(self):
        result = self.check(START + LAWFUL)
        self.assertEqual((result.returncode, "0 complaints, 7 lawful" in result.stdout), (0, True), result.stdout)

    def test_a_client_that_was_killed(self):
        self.assertEqual(self.check(START + KILLED + KILLED_WHILE_WRITING, "--killed").returncode, 0)
        self.assertEqual(self.check(START + KILLED_WHILE_WRITING).returncode, 1)

    def test_each_fault_is_told_with_its_reason(self):
        for reason, lines in FAULTS.items():
            with self.subTest(reason):
                result = self.check(START + LAWFUL + lines + LAWFUL)
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertIn(reason, result.stdout)
                self.assertIn("1 complaints", result.stdout)

    def test_a_log_without_a_start_proves_nothing(self):
        for content in ("", LAWFUL):
            self.assertEqual(self.check(content).returncode, 2)

    def test_a_missing_log(self):
        self.assertEqual(subprocess.run([str(PROGRAM), "/nonexistent/log"], capture_output=True, timeout=120).returncode, 2)


if __name__ == "__main__":
    unittest.main()

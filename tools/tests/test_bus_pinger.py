# SPDX-License-Identifier: Apache-2.0
"""bus-pinger as programs see it that are not ours: Debian's nagios4 runs it as a plugin, promtool reads its metrics, jsonschema its JSON.

Needs the brokers and the built program: swift build, then scripts/with-brokers python3 -m pytest tools/tests
"""

import json
import subprocess
import textwrap
import time
import unittest
from pathlib import Path

from pinger_stage import RABBITMQ4, REPOSITORY, PingerStage

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@unittest.skipUnless(RABBITMQ4, "no brokers: run under scripts/with-brokers")
class BusPinger(PingerStage, unittest.TestCase):
    def test_json_keeps_its_schema(self):
        import jsonschema
        schema = json.loads((REPOSITORY / "docs" / "schema" / "bus-pinger-1.schema.json").read_text())
        checker = jsonschema.validators.validator_for(schema)
        checker.check_schema(schema)
        lines = []
        for arguments, queue in (((), None), (("--no-send",), None), ((), "no-such-queue"), (("--quit-after", "dns"), None),
                                 (("--language", "nb"), None)):
            result = self.run_it("--format", "json", *arguments, queue=queue)
            self.assertEqual(result.stdout.count("\n"), 1, result)
            lines.append(json.loads(result.stdout))
        for line in lines:
            checker(schema).validate(line)
        self.assertEqual(lines[0]["status"], "critical")
        self.assertEqual(lines[0]["first_failure"], 31)
        self.assertEqual(lines[3]["status"], "ok")
        with self.assertRaises(jsonschema.ValidationError):
            checker(schema).validate({**lines[0], "status": "fine"})

    def test_promtool_accepts_its_metrics(self):
        promtool = Path(self.monitoring()) / "usr" / "bin" / "promtool"
        for queue in (self.queue, "no-such-queue"):
            file = self.folder / "bus_pinger.prom"
            result = self.run_it("--format", "prometheus", "--output", str(file), queue=queue)
            self.assertEqual((result.stdout, result.stderr), ("", ""))
            text = file.read_text()
            self.assertIn("bus_pinger_status{", text)
            checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""), text)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.suffix == ".tmp"], [])
        broken = subprocess.run([promtool, "check", "metrics"], input=text.replace("} ", "} x"), capture_output=True, text=True)
        self.assertNotEqual(broken.returncode, 0)

    def test_nagios_runs_it_as_a_plugin(self):
        self.while_somebody_listens()
        checks = {
            "listening": (self.command("--format", "nagios", "-w", "total=30,depth=100", "-c", "total=60"), "OK"),
            "slow": (self.command("--format", "nagios", "-w", "total=0"), "WARNING"),
            "missing": (self.command("--format", "nagios", "--no-send", queue="no-such-queue"), "CRITICAL"),
            "unreadable": ([*self.command("--format", "nagios"), "--config", str(self.folder / "none.yaml")], "UNKNOWN"),
        }
        seen = self.nagios({name: command for name, (command, _) in checks.items()})
        for name, (_, state) in checks.items():
            self.assertEqual(seen[name][0], state, seen[name])
            self.assertTrue(seen[name][1].startswith(f"BUS {state} - "), seen[name])
        self.assertRegex(seen["listening"][2], r"^total=\d+\.\d{4}s;30;60;0; dns=\d+\.\d{4}s;;;0; .*depth=\d+;100;;0; consumers=1;;;0;$")

    def monitoring(self):
        return subprocess.run(
            [REPOSITORY / "scripts" / "foreign-monitoring"], capture_output=True, text=True, check=True, timeout=600).stdout.strip()

    def nagios(self, commands):
        """Runs each command as a service check of a Nagios of its own: state, output and performance data as Nagios has them."""
        home = self.folder / "nagios"
        (home / "checkresults").mkdir(parents=True)
        data = home / "perfdata"
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
        (home / "nagios.cfg").write_text(textwrap.dedent(f"""\
            log_file={home}/nagios.log
            cfg_file={home}/objects.cfg
            object_cache_file={home}/objects.cache
            precached_object_file={home}/objects.precache
            status_file={home}/status.dat
            command_file={home}/nagios.cmd
            lock_file={home}/nagios.lock
            temp_file={home}/nagios.tmp
            temp_path={home}
            check_result_path={home}/checkresults
            query_socket={home}/nagios.qh
            state_retention_file={home}/retention.dat
            retain_state_information=0
            check_external_commands=0
            use_syslog=0
            nagios_user={user}
            nagios_group={group}
            service_inter_check_delay_method=n
            max_service_check_spread=1
            process_performance_data=1
            service_perfdata_file={data}
            service_perfdata_file_template=$SERVICEDESC$\\t$SERVICESTATE$\\t$SERVICEOUTPUT$\\t$SERVICEPERFDATA$
            service_perfdata_file_mode=w
            """))
        always = "\n".join(f" {day} 00:00-24:00" for day in DAYS)
        objects = [f"define timeperiod {{\n timeperiod_name always\n alias always\n{always}\n}}",
                   "define contact {\n contact_name nobody\n host_notification_period always\n service_notification_period always\n"
                   " host_notification_commands quiet\n service_notification_commands quiet\n host_notifications_enabled 0\n"
                   " service_notifications_enabled 0\n}",
                   "define command {\n command_name quiet\n command_line /bin/true\n}",
                   "define host {\n host_name bus\n address 127.0.0.1\n max_check_attempts 1\n check_period always\n contacts nobody\n"
                   " notification_period always\n active_checks_enabled 0\n}"]
        for name, command in commands.items():
            line = " ".join(f"'{word}'" for word in command)
            objects.append(f"define command {{\n command_name check_{name}\n command_line {line}\n}}")
            objects.append(f"define service {{\n host_name bus\n service_description {name}\n check_command check_{name}\n"
                           " max_check_attempts 1\n check_interval 60\n retry_interval 60\n check_period always\n"
                           " notification_period always\n contacts nobody\n}")
        (home / "objects.cfg").write_text("\n".join(objects) + "\n")
        program = Path(self.monitoring()) / "usr" / "sbin" / "nagios4"
        with open(home / "out", "w") as out:
            nagios = subprocess.Popen([program, home / "nagios.cfg"], stdout=out, stderr=out)
        try:
            limit = time.monotonic() + 120
            while True:
                rows = [line.split("\t") for line in data.read_text().splitlines()] if data.exists() else []
                seen = {row[0]: row[1:] for row in rows if len(row) == 4}
                if set(seen) == set(commands):
                    return seen
                self.assertIsNone(nagios.poll(), (home / "out").read_text())
                self.assertLess(time.monotonic(), limit, (home / "out").read_text())
                time.sleep(0.1)
        finally:
            nagios.terminate()
            nagios.wait(30)


if __name__ == "__main__":
    unittest.main()

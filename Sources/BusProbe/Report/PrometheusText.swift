// SPDX-License-Identifier: Apache-2.0

import AddressRegistry

/// Reports in Prometheus' text form, for the text-file folder of its node exporter.
public enum PrometheusText {
  private struct Metric {
    var name: String
    var help: String
    var samples: [(labels: [(String, String)], value: String)] = []

    var text: String {
      guard !self.samples.isEmpty else { return "" }
      var text = "# HELP \(self.name) \(self.help)\n# TYPE \(self.name) gauge\n"
      for sample in self.samples {
        let labels = sample.labels.map { "\($0.0)=\"\(PrometheusText.escaped($0.1))\"" }.joined(separator: ",")
        text += "\(self.name){\(labels)} \(sample.value)\n"
      }
      return text
    }
  }

  public static func text(_ looks: [ProbeLook], _ thresholds: NagiosThresholds = .init()) -> String {
    var status = Metric(name: "bus_pinger_status", help: "0 ok, 1 warning, 2 critical, 3 unknown, as Nagios counts.")
    var ok = Metric(
      name: "bus_pinger_step_ok", help: "1 where the step was ok, 0 where it failed or warns; absent where it proves nothing.")
    var times = Metric(name: "bus_pinger_step_duration_seconds", help: "How long the step took.")
    var whole = Metric(name: "bus_pinger_duration_seconds", help: "How long the whole check took.")
    var failed = Metric(name: "bus_pinger_first_failed_step", help: "The code of the first step that failed, 0 for none.")
    var messages = Metric(name: "bus_pinger_queue_messages", help: "Messages on the party's queue.")
    var consumers = Metric(name: "bus_pinger_queue_consumers", help: "Who listens on the party's queue.")
    var days = Metric(name: "bus_pinger_certificate_remaining_days", help: "Days until the bus's certificate ends.")
    var looked = Metric(name: "bus_pinger_last_run_timestamp_seconds", help: "When it was last looked, in seconds since 1970.")
    for look in looks {
      let report = look.report
      let labels = [("her_id", report.target), ("kind", report.kind.rawValue), ("bus", report.bus?.text ?? "")]
      status.samples.append((labels, String(look.status(thresholds).rawValue)))
      failed.samples.append((labels, String(report.firstFailure?.code.rawValue ?? 0)))
      looked.samples.append((labels, Self.number(Double(look.at.millisecondsSinceEpoch) / 1_000)))
      func add(_ value: Double?, to metric: inout Metric) {
        if let value, value.isFinite { metric.samples.append((labels, Self.number(value))) }
      }
      add(look.totalMilliseconds / 1_000, to: &whole)
      add(report.messages.map(Double.init), to: &messages)
      add(report.consumers.map(Double.init), to: &consumers)
      add(report.certificateDaysLeft.map(Double.init), to: &days)
      for step in report.steps {
        let labels = labels + [("step", step.code.name), ("code", String(step.code.rawValue))]
        switch step.verdict {
        case .ok: ok.samples.append((labels, "1"))
        case .warning, .failed: ok.samples.append((labels, "0"))
        case .notPossible, .notRun: break
        }
        if let milliseconds = step.milliseconds, milliseconds.isFinite {
          times.samples.append((labels, Self.number(milliseconds / 1_000)))
        }
      }
    }
    return [status, failed, ok, times, whole, messages, consumers, days, looked].map(\.text).joined()
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }

  fileprivate static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}

// SPDX-License-Identifier: Apache-2.0

/// The words that writers put around what the ladder says, in both languages.
struct ReportWords: Sendable {
  let language: ProbeLanguage

  init(_ language: ProbeLanguage) { self.language = language }

  private func pick(_ nb: String, _ en: String) -> String {
    switch self.language {
    case .nb: nb
    case .en: en
    }
  }

  var seen: String { self.pick("sett:", "seen:") }
  var means: String { self.pick("betyr:", "means:") }
  var whose: String { self.pick("hvem:", "whose:") }
  var next: String { self.pick("gjør:", "next:") }
  var restsOn: String { self.pick("bygger på:", "rests on:") }

  func mark(_ verdict: ProbeStep.Verdict) -> String {
    switch verdict {
    case .ok: "ok"
    case .warning: self.pick("VARSEL", "WARN")
    case .failed: self.pick("FEIL", "FAILED")
    case .notPossible: self.pick("umulig", "n/a")
    case .notRun: "-"
    }
  }

  func verdict(_ verdict: ProbeStep.Verdict) -> String {
    switch verdict {
    case .ok: "ok"
    case .warning: self.pick("varsel", "warning")
    case .failed: self.pick("feil", "failed")
    case .notPossible: self.pick("ikke mulig her", "not possible here")
    case .notRun: self.pick("ikke kjørt", "not run")
    }
  }

  func status(_ status: ProbeReport.Status) -> String {
    switch status {
    case .ok: "OK"
    case .warning: self.pick("ADVARSEL", "WARNING")
    case .critical: self.pick("KRITISK", "CRITICAL")
    case .unknown: self.pick("UKJENT", "UNKNOWN")
    }
  }

  var sent: String { self.pick("sendt", "sent") }
  var lost: String { self.pick("tapt", "lost") }
  var last: String { self.pick("siste", "last") }
  var average: String { self.pick("snitt", "avg") }
  var longest: String { self.pick("maks", "max") }
  var every: String { self.pick("hver", "every") }
  var noOftener: String { self.pick("ingen part pinges oftere", "no party is pinged more often") }
  var stopsWith: String { self.pick("Ctrl-C avslutter", "Ctrl-C ends") }
  var rounds: String { self.pick("runder", "rounds") }
  var changes: String { self.pick("dommen endret seg:", "the verdict changed:") }
  var begins: String { self.pick("begynner", "begins") }
  var noTimes: String { self.pick("ingen tider ennå", "no times yet") }
  var worst: String { self.pick("verste:", "worst:") }
  var steps: String { self.pick("steg", "step") }
  var party: String { self.pick("HER-ID", "HER-ID") }
  var bus: String { self.pick("buss", "bus") }
  var time: String { self.pick("tid", "time") }
  var finding: String { self.pick("funn", "finding") }
  var statusHeading: String { "status" }
  var noStep: String { self.pick("ikke nådd", "not reached") }
  var notMeasured: String { self.pick("ikke målt", "not measured") }
  var wellIs: String { self.pick("godt er", "well is") }
  func parties(_ count: Int) -> String { "\(count) HER-ID\(self.pick("-er", count == 1 ? "" : "s"))" }
}

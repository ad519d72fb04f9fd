// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import Testing
import TjenestebussTesting

@testable import bus_migrator

/// The drain as an operator sees it, against a running daemon and embedded buses.
@Suite("bus-migrator drain", .serialized, .timeLimit(.minutes(10)))
struct DrainCommandTests {
  private static let two = ["--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7"]

  @Test("messages strand after the cut: the verdict says so, two people have them carried over in order, and then it is drained")
  func carriedOver() async throws {
    try await Stage.with(gone: [200]) { stage in
      try stage.write(pulje: "p1", [200], policy: ["leftovers: forward"])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      #expect(try await stage.command(["drain"]).output.contains("no group leaves a bus"))
      #expect(try await stage.command(["start", "--execute", stage.pulje] + Self.two).exitCode == 0)
      _ = try await stage.drain { !$0.rows.isEmpty }

      let ids = (0..<5).map { "m-\($0)" }
      try await stage.send(ids, to: "200_async", on: stage.source)
      let stranded = try await stage.drain { $0.rows.first?.drain.leftovers == 5 && $0.rows.first?.standing == .messagesLeft }
      #expect(!stranded.isDrained)
      let table = try await stage.command(["drain", "status"], saying: "MESSAGES-LEFT")
      #expect(table.exitCode == 0 && table.output.contains("drain explain 200"))
      let explained = try await stage.command(["drain", "explain", "200"], saying: "NOT-DRAINED [MIG-406]")
      #expect(explained.output.contains("what it does not prove:") && explained.output.contains("200_async: 5"))
      #expect(explained.output.contains("drain forward --her-id 200"))
      #expect(!explained.output.contains("hemmelig"))

      let trial = try await stage.command(["drain", "forward", "--her-id", "200", "--check", "--json"])
      let tried = try trial.json(ForwardingTrial.self)
      let asynchronous = tried.queues.first { $0.kind == .asynchronous }
      #expect(asynchronous?.lying == 5 && asynchronous?.isCarried == true && asynchronous?.looked == nil, "\(trial.output)")
      #expect(tried.queues.first { $0.kind == .synchronous }?.isCarried == false)
      #expect(try await stage.source.depth(of: "200_async") == 5)
      let preview = try await stage.command(["drain", "forward", "--her-id", "200"])
      #expect(preview.exitCode == 0 && preview.output.contains("no order: this is what one would carry"))
      let view = try await stage.command(["drain", "forward", "--her-id", "200", "--json"]).json(ForwardingView.self)
      #expect(view.lying == 5 && view.groups.first?.order == nil && view.schema == "bus-migrator/drain-forward/1")
      let forward = ["drain", "forward", "--her-id", "200"]
      let alone = try await stage.command(forward + ["--approved-by", "Kari", "--approved-by", "kari ", "--because", "CHG-7"])
      #expect(alone.exitCode == 3 && alone.complaint.contains("MIG-204"))
      #expect(try await stage.source.depth(of: "200_async") == 5)

      let dry = try await stage.command(forward + Self.two)
      #expect(dry.exitCode == 0 && dry.output.contains("would come to: group.forwarding-approved"), "\(dry.complaint)")
      #expect(try await stage.command(forward + ["--json"]).json(ForwardingView.self).groups.first?.order == nil)
      #expect(try await stage.command(forward + ["--execute"]).exitCode == 2)
      let approved = try await stage.command(forward + ["--execute"] + Self.two)
      #expect(approved.exitCode == 0 && approved.output.contains("group.forwarding-approved"), "\(approved.complaint)")
      let watched = try await stage.command(["drain", "watch", "--until-drained", "--json"])
      #expect(watched.exitCode == 0, "\(watched.complaint)")
      let last = try JSONDecoder().decode(
        DrainStatus.self, from: Data((watched.output.split(separator: "\n").last ?? "").utf8))
      #expect(last.isDrained)
      _ = try await stage.drain { $0.rows.first?.drain.forwarding?.total.accepted == 5 }
      #expect(stage.fetched.withLockedValue { $0["200_async"]?.filter { $0.hasPrefix("m-") } } == ids)

      // Kept back for a moment whenever an entry is read again: late mail makes the daemon look.
      let after = try await stage.command(forward, saying: "at work")
      #expect(after.output.contains("approved by Kari, Ola"))
      #expect(try await stage.command(forward + ["--duplicates"]).output.contains("no message may have arrived twice"))
      let recomputed = try await stage.command(["drain", "explain", "200", "--recompute"])
      #expect(recomputed.exitCode == 0 && recomputed.output.contains("the same comes out of all"), "\(recomputed.complaint)")

      // Paused, nothing is taken; resumed, it goes on.
      #expect(try await stage.command(forward + ["--pause", "--by", "Kari", "--because", "lunch"]).exitCode == 0)
      try await stage.send(["late-1"], to: "200_async", on: stage.source)
      let late = try await stage.drain { $0.rows.first?.drain.leftovers == 1 }
      #expect(late.rows.first?.drain.forwarding?.pause?.by == "Kari")
      #expect(try await stage.command(forward).output.contains("PAUSED by Kari"))
      let kept = try await stage.command(["drain", "explain", "200"]).output
      #expect(kept.contains("KEPT BACK, nothing is carried: [MIG-223]") && kept.contains("drain forward --her-id 200 --resume"))
      #expect(!kept.contains("Wait: the forwarder carries"), "\(kept)")
      #expect(try await stage.command(forward + ["--execute", "--resume", "--by", "Kari", "--because", "CHG-7"]).exitCode == 0)
      _ = try await stage.drain { $0.rows.first?.drain.forwarding?.total.accepted == 6 }
      let again = try await stage.command(forward + ["--execute", "--retry-set-aside", "--by", "Kari", "--because", "CHG-7"])
      #expect(again.exitCode == 0, "\(again.complaint)")
      #expect(try await stage.command(forward + ["--execute", "--stop", "--by", "Kari", "--because", "done"]).exitCode == 0)
      #expect(try await stage.command(forward).output.contains("ENDED by Kari"))
      let ended = try await stage.command(forward + ["--execute", "--resume", "--by", "Kari", "--because", "CHG-7"])
      #expect(ended.exitCode == 3 && ended.complaint.contains("MIG-245"))

      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      let offline = try await stage.command(["drain", "status"])
      #expect(offline.exitCode == 4 && offline.output.contains("no daemon answers") && offline.output.contains("200"))
      let why = try await stage.command(["drain", "explain", "200", "--json"])
      #expect(try why.exitCode == 4 && why.json(DrainExplanation.self).verdict.forwarded?.total.accepted == 6)
      #expect(try await stage.command(["audit", "verify"]).exitCode == 0)
    }
  }

  @Test("what can go wrong by hand: each says what it was, and changes nothing")
  func refused() async throws {
    try await Stage.with(gone: [200]) { stage in
      let nobody = try await stage.command(["drain", "status"])
      #expect(nobody.exitCode == 4 && nobody.complaint.contains("CLI-010"))
      #expect(try await stage.command(["drain", "explain", "200"]).exitCode == 4)
      #expect(try await stage.command(["drain", "watch"]).exitCode == 4)
      try stage.write(pulje: "p1", [200])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      #expect(try await stage.command(["start", "--execute", stage.pulje] + Self.two).exitCode == 0)
      _ = try await stage.drain { !$0.rows.isEmpty }
      try await stage.send(["m-1"], to: "200_async", on: stage.source)
      _ = try await stage.drain { $0.rows.first?.drain.leftovers == 1 }

      let unknown = try await stage.command(["drain", "explain", "999"])
      #expect(unknown.exitCode == 3 && unknown.complaint.contains("999"), "\(unknown.complaint)")
      #expect(try await stage.command(["drain", "explain", "x"]).exitCode == 2)
      #expect(try await stage.command(["drain", "forward", "--her-id", "999"]).exitCode == 3)
      let unasked = try await stage.command(["drain", "forward", "--her-id", "200"] + Self.two)
      #expect(unasked.exitCode == 3 && unasked.complaint.contains("MIG-243"), "\(unasked.complaint)")
      let both = try await stage.command(["drain", "forward", "--her-id", "200", "--pause", "--stop"])
      #expect(both.exitCode == 2)
      let rate = try await stage.command(
        ["drain", "forward", "--her-id", "200", "--carrier", "shovel", "--rate", "5"] + Self.two)
      #expect(rate.exitCode == 2 && rate.complaint.contains("a shovel has no rate"))

      let except = ["drain", "except", "--execute", "--her-id", "200", "--because", "CHG-9"]
      let queue = ["--queue", "a.example/NHN/200_async"]
      #expect(try await stage.command(except + queue + Self.two).exitCode == 2)
      #expect(try await stage.command(except + queue + ["--for", "soon"] + Self.two).exitCode == 2)
      #expect(try await stage.command(except + ["--for", "1d"] + Self.two).exitCode == 2)
      let alone = try await stage.command(except + queue + ["--for", "1d", "--approved-by", "Kari"])
      #expect(alone.exitCode == 3 && alone.complaint.contains("MIG-204"))
      // Whose message it is this bus does not show.
      let sender = try await stage.command(except + ["--sender", "300", "--for", "1d"] + Self.two)
      #expect(sender.exitCode == 3 && sender.complaint.contains("MIG-246"), "\(sender.complaint)")
      let foreign = try await stage.command(except + ["--queue", "a.example/NHN/300_async", "--for", "1d"] + Self.two)
      #expect(foreign.exitCode == 3)
      _ = try await stage.drain { $0.rows.first?.standing == .messagesLeft }
      let signed = try await stage.command(except + queue + ["--for", "1d"] + Self.two)
      #expect(signed.exitCode == 0 && signed.output.contains("group.excepted"), "\(signed.complaint)")
      let excepted = try await stage.drain { $0.isDrained }
      #expect(excepted.rows.first?.standing == .excepted)
      let kept = excepted.rows.first?.drain.namedExceptions.first
      #expect(kept?.giver?.uid == getuid() && kept?.covers?.messages == 1)
      let answered = try await stage.command(["drain", "explain", "200"], saying: "DRAINED-WITH-EXCEPTIONS")
      #expect(answered.output.contains("by Kari, Ola as uid"), "\(answered.output)")
      // One more came: that nobody answers for.
      try await stage.send(["m-2"], to: "200_async", on: stage.source)
      _ = try await stage.drain { $0.rows.first?.drain.leftovers == 2 && $0.rows.first?.standing == .messagesLeft }

      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }

  @Test("the target queue is gone: the forwarder stops with words and takes nothing; mended and resumed it goes on")
  func targetMissing() async throws {
    try await Stage.with(gone: [200]) { stage in
      try stage.write(pulje: "p1", [200], policy: ["leftovers: forward"])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      #expect(try await stage.command(["start", "--execute", stage.pulje] + Self.two).exitCode == 0)
      _ = try await stage.drain { !$0.rows.isEmpty }
      _ = try await stage.target.delete("200_error")
      try await stage.send(["e-1"], to: "200_error", on: stage.source)
      let forward = ["drain", "forward", "--her-id", "200"]
      #expect(try await stage.command(forward + ["--execute"] + Self.two).exitCode == 0)
      let stopped = try await stage.drain { $0.rows.first?.drain.forwarding?.stops.isEmpty == false }
      #expect(stopped.rows.first?.drain.forwarding?.stops.first?.code == "FWD-105")
      #expect(try await stage.source.depth(of: "200_error") == 1)
      #expect(try await stage.command(["drain", "explain", "200"]).output.contains("drain forward --resume"))

      try await stage.target.declare(BrokerQueue("200_error"))
      #expect(try await stage.command(forward + ["--execute", "--resume", "--by", "Kari", "--because", "CHG-7"]).exitCode == 0)
      try await stage.target.waitUntil("the message has come", within: .seconds(120)) { $0.depth(of: "200_error") == 1 }
      _ = try await stage.drain { $0.rows.first?.drain.forwarding?.stops.isEmpty == true }
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }

  @Test(
    "on a bus that shows its messages the verdict names who sent what lies there; an exception for that sender answers for it")
  func namesTheSender() async throws {
    try await Stage.with(gone: [200], source: .azureServiceBus) { stage in
      try stage.write(pulje: "p1", [200])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      #expect(try await stage.command(["start", "--execute", stage.pulje] + Self.two).exitCode == 0)
      _ = try await stage.drain { !$0.rows.isEmpty }
      try await stage.send(["m-1", "m-2"], to: "200_async", on: stage.source, from: 300)
      var found: StrandedFinding?
      while found == nil {
        try Task.checkCancellation()
        let explanation = try await ControlClient(socket: stage.socket).explanation(of: try #require(HerID(200)), nil)
        found = explanation.verdict.stranded.first { $0.sender?.herID == HerID(300) && $0.count == 2 }
        // Another process cannot wake us.
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(found?.queue.queue == "200_async")
      let words = try await stage.command(["drain", "explain", "200"]).output
      #expect(words.contains("NOT-DRAINED") && words.contains("from HER-ID 300"), "\(words)")
      #expect(!words.contains("hemmelig"))
      let signed = try await stage.command(
        ["drain", "except", "--execute", "--her-id", "200", "--sender", "300", "--for", "1d", "--because", "CHG-9"] + Self.two)
      #expect(signed.exitCode == 0, "\(signed.complaint)")
      let excepted = try await stage.drain { $0.isDrained }
      #expect(excepted.rows.first?.standing == .excepted && excepted.rows.first?.drain.leftovers == 2)
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      #expect(try await stage.command(["audit", "verify"]).exitCode == 0)
    }
  }

  @Test(
    "a whole bus: every queue with anything in it or anyone on it, whose it is, and what keeps the bus from being switched off")
  func wholeBus() async throws {
    try await Stage.with(management: true, gone: [200]) { stage in
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      try await stage.send(["m-1"], to: "200_async", on: stage.source)
      let sync = try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"])
      #expect(sync.exitCode == 0, "\(sync.complaint)")
      let answer = try await stage.command(["drain", "--bus", "a", "--json"])
      #expect(answer.exitCode == 0, "\(answer.complaint)")
      let drain = try answer.json(BusDrain.self)
      #expect(drain.queuesInAll ?? 0 >= 9, "\(drain.obstacles)")
      let stranded = drain.queues.first { $0.name == "200_async" }
      #expect(stranded?.messages == 1 && stranded?.owners.first?.herID == HerID(200))
      #expect(drain.queues.contains { $0.name == "300_async" && ($0.consumers ?? 0) > 0 }, "\(drain.queues)")
      #expect(drain.obstacles.contains { $0.hasPrefix("parties still on it: 4") }, "\(drain.obstacles)")
      let word = drain.obstacles.first { $0.hasPrefix("queue 200_async: 1 messages") }
      #expect(word?.contains("Whose: HER-ID 200 Party 200") == true, "\(drain.obstacles)")
      #expect(drain.countedAt != nil && drain.closing.filledQueues == .counted(1, names: ["200_async: 1"]))
      let text = try await stage.command(["drain", "--bus", "a"])
      #expect(text.output.contains("stands between now and switching it off") && text.output.contains("HER-ID 200 Party 200"))
      let unknown = try await stage.command(["drain", "--bus", "z"])
      #expect(unknown.exitCode == 2 && unknown.complaint.contains("one of a, b"))
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }
}

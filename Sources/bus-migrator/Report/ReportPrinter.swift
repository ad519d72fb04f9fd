// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Migration
import NIOConcurrencyHelpers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Makes a PDF of a report's page by Debian's program weasyprint. The page needs nothing from outside, and the program is given nothing of ours
/// but the page.
struct ReportPrinter: Sendable {
  let executable: String
  var patience = TimeSpan.minutes(5)

  /// - Parameter folders: where programs are looked for.
  /// - Returns: nil where it is not installed.
  static func find(in folders: [String] = ["/usr/bin", "/usr/local/bin"]) -> ReportPrinter? {
    folders.map { $0 + "/weasyprint" }.first { FileManager.default.isExecutableFile(atPath: $0) }.map {
      ReportPrinter(executable: $0)
    }
  }

  /// - Returns: the PDF.
  /// - Throws: ``ReportError`` `printerFailed`, `printerTooSlow`. Cancelling ends the program.
  func print(page path: String) async throws -> Data {
    let run = PrinterRun(executable: self.executable, page: path)
    let patience = self.patience
    return try await withThrowingTaskGroup(of: Data?.self) { group in
      group.addTask { try await run.result() }
      group.addTask {
        try await Task.sleep(for: .milliseconds(patience.milliseconds))
        return nil
      }
      defer { group.cancelAll() }
      guard let data = try await group.next().flatMap({ $0 }) else {
        throw ReportError.printerTooSlow(page: path, seconds: Int(patience.milliseconds / 1_000))
      }
      return data
    }
  }
}

/// One run of the program. Ended when the task that waits for it is cancelled.
private final class PrinterRun: Sendable {
  private let executable: String
  private let page: String
  private let process = Process()
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bus-migrator-report-\(UUID().uuidString)")

  private struct Inside: Sendable {
    var isKilled = false
    var answer: CheckedContinuation<Data, any Error>?
  }

  private let inside = NIOLockedValueBox(Inside())

  init(executable: String, page: String) {
    self.executable = executable
    self.page = page
  }

  func result() async throws -> Data {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        self.inside.withLockedValue { $0.answer = continuation }
        // Files and the start of a program block for a moment: not in the cooperative pool.
        DispatchQueue.global().async { self.start() }
      }
    } onCancel: {
      self.kill()
    }
  }

  private func start() {
    do {
      try FileManager.default.createDirectory(
        at: self.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let (output, complaints) = (
        self.folder.appendingPathComponent("report.pdf"), self.folder.appendingPathComponent("complaints")
      )
      try Data().write(to: complaints)
      self.process.executableURL = URL(fileURLWithPath: self.executable)
      self.process.arguments = ["--encoding", "utf-8", "--media-type", "print", self.page, output.path]
      // Nothing of ours; what it keeps for itself goes with the folder.
      self.process.environment = [
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": self.folder.path, "XDG_CACHE_HOME": self.folder.path,
        "TMPDIR": self.folder.path,
        "LC_ALL": "C.UTF-8",
      ]
      self.process.standardInput = FileHandle.nullDevice
      self.process.standardOutput = FileHandle.nullDevice
      self.process.standardError = try FileHandle(forWritingTo: complaints)
      self.process.terminationHandler = { process in
        self.ended(process, output, complaints)
        try? FileManager.default.removeItem(at: self.folder)
      }
      try self.process.run()
      if self.inside.withLockedValue({ $0.isKilled }) { self.kill() }
    } catch {
      try? FileManager.default.removeItem(at: self.folder)
      self.settle(.failure(ReportError.printerFailed(page: self.page, seen: "it cannot be run")))
    }
  }

  private func ended(_ process: Process, _ output: URL, _ complaints: URL) {
    if process.terminationReason == .exit, process.terminationStatus == 0, let data = try? Data(contentsOf: output),
      data.starts(with: Data("%PDF-".utf8))
    {
      return self.settle(.success(data))
    }
    let said = (try? Data(contentsOf: complaints)).map { String(decoding: $0.suffix(1_000), as: UTF8.self) } ?? ""
    let last =
      said.split(whereSeparator: \.isNewline).last.map { String($0.prefix(200)) }
      ?? "it ended with code \(process.terminationStatus)"
    self.settle(.failure(ReportError.printerFailed(page: self.page, seen: last)))
  }

  private func kill() {
    self.inside.withLockedValue { $0.isKilled = true }
    if self.process.isRunning { _ = signal(self.process.processIdentifier) }
    self.settle(.failure(CancellationError()))
  }

  private func signal(_ process: Int32) -> Int32 {
    #if canImport(Glibc)
      Glibc.kill(process, SIGKILL)
    #elseif canImport(Musl)
      Musl.kill(process, SIGKILL)
    #else
      Darwin.kill(process, SIGKILL)
    #endif
  }

  private func settle(_ result: Result<Data, any Error>) {
    let answer = self.inside.withLockedValue { inside in
      defer { inside.answer = nil }
      return inside.answer
    }
    answer?.resume(with: result)
  }
}

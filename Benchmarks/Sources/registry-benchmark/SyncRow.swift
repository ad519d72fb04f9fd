// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import CBaseline
import Disclosure
import Foundation
import NIOCore
import TjenestebussTesting

/// A full sync from the testing register over SOAP, beside a bare loop of the same HTTP calls: same requests, same concurrency, same
/// client, the answers' bytes collected and thrown away. Server, loop and sync share this process and its cores.
enum SyncRow {
  private static let concurrency = 16
  private static let rounds = 40

  static func measure(_ records: [PartyRecord], path: String) async throws {
    let credentials = RegisterCredentials(user: "benchmark", password: Secret("benchmark"))
    let configuration = AddressRegisterServer.Configuration(credentials: credentials, buses: RegistryBenchmark.buses)
    // In the order in which registry sync asks: that of the cache.
    let herIDs = records.map(\.herID).sorted()
    try await AddressRegisterServer.withServer(configuration: configuration, records: records) { server in
      let endpoint = try await server.readerEndpoint()
      try await RegisterHTTP.withClient { http in
        let register = try SOAPAddressRegister(endpoint: endpoint, credentials: credentials, http: http)
        let cache = try await AddressCache.open(path: path, access: .readWrite)
        let sync = RegistrySync(cache: cache)
        // Connections and caches warm for both.
        try await Self.bare(Array(herIDs.prefix(500)), endpoint, http)
        var ratios: [Double] = []
        var processorRatios: [Double] = []
        var rates: [Double] = []
        for round in 0..<Self.rounds {
          let part = Array(herIDs[(herIDs.count * round / Self.rounds)..<(herIDs.count * (round + 1) / Self.rounds)])
          var (theirs, ours) = (0.0, 0.0)
          var (theirProcessor, ourProcessor) = (0.0, 0.0)
          // Turn by turn, and each as often first: what else the machine does meanwhile hits both.
          for turn in [round % 2, 1 - round % 2] {
            let processor = baseline_process_seconds()
            if turn == 0 {
              theirs = try await RegistryBenchmark.time { try await Self.bare(part, endpoint, http) }
              theirProcessor = baseline_process_seconds() - processor
            } else {
              ours = try await RegistryBenchmark.time {
                let report = try await sync.parties(part, from: register, concurrency: Self.concurrency)
                precondition(report.isWhole && report.added.count == part.count)
              }
              ourProcessor = baseline_process_seconds() - processor
            }
          }
          ratios.append(theirs / ours)
          processorRatios.append(theirProcessor / ourProcessor)
          rates.append(Double(part.count) / ours)
        }
        let kept = try await cache.parties().count
        precondition(kept == herIDs.count)
        try await cache.close()
        let ratio = RegistryBenchmark.median(ratios)
        RegistryBenchmark.report(
          "full sync of \(herIDs.count) parties",
          String(
            format:
              "%.2f x a bare loop of the same calls (%.0f parties a second; by processor time %.2f x); quarter of rounds below %.2f, above %.2f",
            ratio, RegistryBenchmark.median(rates), RegistryBenchmark.median(processorRatios), ratios.sorted()[ratios.count / 4],
            ratios.sorted()[ratios.count * 3 / 4]),
          aim: "0.8 x", met: ratio >= 0.8)
      }
    }
  }

  private static func bare(_ herIDs: [HerID], _ endpoint: SOAPEndpoint, _ http: HTTPClient) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var next = herIDs.makeIterator()
      for _ in 0..<Self.concurrency { if let herID = next.next() { group.addTask { try await Self.ask(herID, endpoint, http) } } }
      while try await group.next() != nil {
        if let herID = next.next() { group.addTask { try await Self.ask(herID, endpoint, http) } }
      }
    }
  }

  private static func ask(_ herID: HerID, _ endpoint: SOAPEndpoint, _ http: HTTPClient) async throws {
    let namespace = "http://register.nhn.no/CommunicationParty"
    let operation = "GetCommunicationPartyDetails"
    var request = HTTPClientRequest(url: endpoint.url)
    request.method = .POST
    request.setBasicAuth(username: "benchmark", password: "benchmark")
    request.headers.add(name: "Content-Type", value: "text/xml; charset=utf-8")
    request.headers.add(name: "SOAPAction", value: "\"\(namespace)/ICommunicationPartyService/\(operation)\"")
    request.body = .bytes(
      ByteBuffer(
        string: "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
          + "<s:Body><\(operation) xmlns=\"\(namespace)\"><herId>\(herID.value)</herId></\(operation)></s:Body></s:Envelope>"))
    let response = try await http.execute(request, timeout: .seconds(30))
    let body = try await response.body.collect(upTo: 1 << 20)
    precondition(response.status == .ok && body.readableBytes > 0)
  }
}

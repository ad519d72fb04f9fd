// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation

/// Every queue of the virtual host, in pages of 500: as late as all that this interface tells.
extension ManagementHTTPCounting: BusCensus {
  static let pageSize = 500
  /// How often the list is read anew when queues came or went meanwhile.
  private static let tries = 3
  private static let columns = "name,messages,messages_ready,messages_unacknowledged,consumers"

  public func census() async -> CensusReading {
    let now = SystemRegistryClock().now
    var reading = CensusReading(way: self.way, readAt: now, value: .listed([]), tellsConsumers: true)
    do throws(ProbeError) {
      let keepsStatistics = self.countsArrivals ? try await self.keepsStatistics() : false
      for _ in 0..<Self.tries {
        if let queues = try await self.list(readAt: now, keepsStatistics) {
          reading.value = .listed(queues)
          return reading
        }
      }
      reading.value = .unreadable(.censusUnsteady(tries: Self.tries))
    } catch {
      reading.value = .unreadable(error)
    }
    return reading
  }

  /// One page as the interface gives it.
  struct Page: Decodable {
    struct Row: Decodable {
      var name: String
      var numbers: Numbers

      private enum CodingKeys: String, CodingKey { case name }

      init(from decoder: any Decoder) throws {
        self.name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
        self.numbers = try Numbers(from: decoder)
      }
    }
    var rows: [Row]
    var pageCount: Int
    var total: Int

    private enum CodingKeys: String, CodingKey {
      case rows = "items"
      case pageCount = "page_count"
      case total = "total_count"
    }
  }

  /// - Returns: nil when the number of queues changed between two pages, or a name came twice: one may have been passed over.
  private func list(readAt now: RegistryInstant, _ keepsStatistics: Bool) async throws(ProbeError) -> [DepthReading]? {
    var queues: [String: DepthReading] = [:]
    var number = 1
    // By name without being asked to sort: asked to, RabbitMQ 3.10 takes three times as long for a page of 10,000 queues.
    let columns = keepsStatistics ? Self.columns + ",message_stats.publish" : Self.columns
    while true {
      let host = LinkAddress.percentEncoded(self.virtualHost)
      let path = "/api/queues/\(host)?page=\(number)&page_size=\(Self.pageSize)&columns=\(columns)"
      let answer = try await self.get(path)
      guard let page = try? JSONDecoder().decode(Page.self, from: answer) else {
        throw .countingUnreadable(way: self.way, seen: "the list is not the JSON it should be")
      }
      for row in page.rows {
        // Statistics and totals are one here: what has none yet is unreadable, not empty.
        let value = Self.value(totals: row.numbers, statistics: row.numbers, keepsStatistics: keepsStatistics)
        let reading = DepthReading(queue: row.name, way: self.way, readAt: now, value: value, lag: self.lag)
        guard queues.updateValue(reading, forKey: row.name) == nil else { return nil }
      }
      if number >= page.pageCount {
        return queues.count == page.total ? queues.values.sorted { $0.queue < $1.queue } : nil
      }
      number += 1
    }
  }
}

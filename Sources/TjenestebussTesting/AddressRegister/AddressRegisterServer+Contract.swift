// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// The contract that is served: `?wsdl`, `?xsd=communication-party` and the rest. The texts are the files of `Contract/`.
extension AddressRegisterServer {
  /// The files by name, as they are in the repository: they refer to each other by file name.
  public static let contractFiles: [String: [UInt8]] = [
    "communication-party.wsdl": PackageResources.communication_party_wsdl,
    "communication-party.xsd": PackageResources.communication_party_xsd,
    "common.xsd": PackageResources.common_xsd, "arrays.xsd": PackageResources.arrays_xsd,
    "pairs.xsd": PackageResources.pairs_xsd,
  ]

  func contract(_ query: String, base: String) -> Response {
    let name: String
    switch query.lowercased() {
    case "wsdl", "singlewsdl": name = "communication-party.wsdl"
    case let query where query.hasPrefix("xsd="): name = "\(query.dropFirst(4)).xsd"
    default: return Self.page(.notFound)
    }
    guard let file = Self.contractFiles[name] else { return Self.page(.notFound) }
    var text = String(decoding: file, as: UTF8.self)
    for other in Self.contractFiles.keys where other.hasSuffix(".xsd") {
      text = text.replacing("schemaLocation=\"\(other)\"", with: "schemaLocation=\"?xsd=\(other.dropLast(4))\"")
    }
    text = text.replacing("https://register.example.no", with: base)
    return Response(
      status: .ok, headers: [.contentType: "text/xml; charset=utf-8"], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}

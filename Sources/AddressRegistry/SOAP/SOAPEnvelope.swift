// SPDX-License-Identifier: Apache-2.0

/// SOAP documents, written and read; no IO.
enum SOAPEnvelope {
  static let addressing = "http://www.w3.org/2005/08/addressing"

  /// The whole request document.
  ///
  /// - Parameters:
  ///   - body: the operation's element, as XML.
  ///   - headers: further header elements, as XML.
  ///   - messageID: a UUID, for WS-Addressing; nil in version 1.1, which names no messages.
  /// - Returns: nil when action or URL cannot stand in XML.
  static func request(
    version: SOAPVersion, url: String, action: String, body: String, headers: String, messageID: String?
  ) -> String? {
    var header = headers
    var namespaces = "xmlns:s=\"\(version.envelopeNamespace)\""
    if version == .v1_2 {
      guard let action = XMLText.escaped(action), let url = XMLText.escaped(url),
        let messageID = messageID.flatMap({ XMLText.escaped($0) })
      else { return nil }
      namespaces += " xmlns:a=\"\(Self.addressing)\""
      header =
        "<a:Action s:mustUnderstand=\"true\">\(action)</a:Action><a:MessageID>urn:uuid:\(messageID)</a:MessageID>"
        + "<a:ReplyTo><a:Address>\(Self.addressing)/anonymous</a:Address></a:ReplyTo>"
        + "<a:To s:mustUnderstand=\"true\">\(url)</a:To>" + header
    }
    let headerElement = header.isEmpty ? "" : "<s:Header>\(header)</s:Header>"
    return
      "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope \(namespaces)>\(headerElement)<s:Body>\(body)</s:Body></s:Envelope>"
  }

  /// What an answer holds.
  enum Answer: Equatable {
    /// The first element of the body.
    case result(XMLNode)
    case fault(SOAPFault)
  }

  /// - Parameter messageID: that of the request. An answer that says it is to another message (WS-Addressing) is not believed;
  ///   nil where nobody asked.
  /// - Throws: ``XMLDocumentReader/Unreadable`` when the bytes are no whole SOAP envelope with something in its body.
  static func answer(_ bytes: [UInt8], to messageID: String? = nil) throws(XMLDocumentReader.Unreadable) -> Answer {
    let root = try XMLDocumentReader.read(bytes)
    let envelopes = [SOAPVersion.v1_1, .v1_2].map(\.envelopeNamespace)
    let bodies = root.children.filter { $0.name == "Body" && $0.namespace == root.namespace }
    guard root.name == "Envelope", envelopes.contains(root.namespace), let body = bodies.first, bodies.count == 1 else {
      throw XMLDocumentReader.Unreadable(description: "an XML document <\(root.name.prefix(40))> that is no SOAP envelope")
    }
    if let messageID, let related = root.child("Header")?.value("RelatesTo"), related != "urn:uuid:\(messageID)" {
      throw XMLDocumentReader.Unreadable(description: "an answer to another message than ours")
    }
    guard let content = body.children.first, body.children.count == 1 else {
      throw XMLDocumentReader.Unreadable(description: "a SOAP envelope with \(body.children.count) elements in its body")
    }
    if content.name == "Fault", envelopes.contains(content.namespace) { return .fault(SOAPFault(content)) }
    return .result(content)
  }
}

/// A SOAP fault of either version, with the register's own detail where there is one.
struct SOAPFault: Equatable {
  /// The register's `ErrorCode`, else the fault code of SOAP without prefix.
  var code: String
  var message: String
  /// The problems of a `ValidationFault`; nil when it is none.
  var validation: [String]?

  init(_ fault: XMLNode) {
    let detail = fault.child("detail") ?? fault.child("Detail")
    let soapCode = fault.value("faultcode") ?? fault.child("Code")?.value("Value") ?? "fault"
    let reason = fault.value("faultstring") ?? fault.child("Reason")?.value("Text") ?? "no reason given"
    self.code = String(soapCode.split(separator: ":").last.map(String.init)?.prefix(100) ?? "fault")
    self.message = Self.cut(reason)
    if let generic = detail?.child("GenericFault") {
      if let code = generic.value("ErrorCode") { self.code = String(code.prefix(100)) }
      if let message = generic.value("Message") { self.message = Self.cut(message) }
    } else if let invalid = detail?.child("ValidationFault") {
      self.validation = (invalid.child("Errors")?.children ?? []).prefix(20).map { error in
        let place = error.value("PropertyName") ?? error.value("DisplayName") ?? "value"
        return Self.cut("\(place): \(error.value("Message") ?? "refused")")
      }
    }
  }

  /// The register's words, so long as they help, and no longer.
  private static func cut(_ text: String) -> String { String(text.prefix(300)) }
}

// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Testing

@testable import TjenestebussClient

@Suite("Connection strings")
struct ConnectionStringTests {
  @Test("amqps:// names host, port, login and exchange")
  func full() throws {
    let string = try BusConnectionString("amqps://OrgUsr123:s3cret@tb.test.nhn.no:5671/NHNTESTServiceBus")
    #expect(string.host == "tb.test.nhn.no")
    #expect(string.port == 5671)
    #expect(string.encrypted)
    #expect(string.user == "OrgUsr123")
    #expect(string.password == Secret("s3cret"))
    #expect(string.path == "NHNTESTServiceBus")
  }

  @Test("Ports have defaults, the scheme any case, the path may be missing and keeps its case")
  func defaults() throws {
    #expect(try BusConnectionString("amqps://u:p@h").port == 5671)
    #expect(try BusConnectionString("amqp://u:p@h").port == 5672)
    #expect(try BusConnectionString("amqp://u:p@h").encrypted == false)
    #expect(try BusConnectionString("AMQPS://u:p@h/").path == "")
    #expect(try BusConnectionString("  amqps://u:p@h/NHNTestServiceBus\n").path == "NHNTestServiceBus")
    #expect(try BusConnectionString("amqps://u:p@[::1]:5671/x").host == "::1")
  }

  @Test("User, password and path are URL-unescaped; a plus stays a plus; a colon may stand in the password")
  func escapes() throws {
    let string = try BusConnectionString("amqps://org%40no:p%2Fa%3as%25s:+%C3%A5@h/ex%20change")
    #expect(string.user == "org@no")
    #expect(string.password == Secret("p/a:s%s:+å"))
    #expect(string.path == "ex change")
  }

  @Test("The .NET kind: host and namespace, AMQP on 5671 over TLS; its own ports are not AMQP's")
  func serviceBus() throws {
    let string = try BusConnectionString(
      "Endpoint=sb://sb.test.nhn.no/NHNTESTServiceBus;StsEndpoint=https://sb.test.nhn.no:9355/NHNTESTServiceBus;"
        + "RuntimePort=9354;ManagementPort=9355;OAuthPassword=a=b%41c ;OAuthUsername=Org@Usr")
    #expect(string.host == "sb.test.nhn.no")
    #expect(string.port == 5671)
    #expect(string.encrypted)
    #expect(string.user == "Org@Usr")
    #expect(string.password == Secret("a=b%41c "), "not unescaped, not trimmed, everything behind the first =")
    #expect(string.path == "NHNTESTServiceBus")
  }

  @Test("Keys in any case and order; a port in the endpoint is AMQP's; access keys log in too")
  func serviceBusVariants() throws {
    let own = try BusConnectionString("oauthpassword=p;OAUTHUSERNAME=u;endpoint=sb://h:5000/ns/;")
    #expect(own.port == 5000)
    #expect(own.path == "ns")
    let azure = try BusConnectionString("Endpoint=sb://h/;SharedAccessKeyName=send;SharedAccessKey=k==")
    #expect(azure.user == "send")
    #expect(azure.password == Secret("k=="))
    #expect(azure.path == "")
  }

  @Test(
    "Each malformation has its code",
    arguments: [
      ("", "TB-101"), (" \n", "TB-101"), ("https://u:p@h", "TB-102"), ("host=h", "TB-102"), ("h:5671", "TB-102"),
      ("amqps://h:5671/x", "TB-104"), ("amqps://u@h", "TB-104"), ("amqps://:p@h", "TB-104"), ("amqps://u:@h", "TB-104"),
      ("amqps://u:p@", "TB-104"), ("amqps://u:p@:5671", "TB-104"), ("amqps://u:p%4@h", "TB-105"), ("amqps://u:p%zz@h", "TB-105"),
      ("amqps://u:%FF@h", "TB-105"), ("amqps://u:p@h:x", "TB-106"), ("amqps://u:p@h:0", "TB-106"),
      ("amqps://u:p@h:65536", "TB-106"),
      ("amqps://u:p@h:", "TB-106"), ("amqps://u:p@h/x?y", "TB-103"), ("amqps://u:p@ss@h", "TB-103"),
      ("amqps://u:p/q@h", "TB-103"),
      ("amqps://u:p@[::1", "TB-103"), ("amqps://u:p@a b", "TB-103"),
      ("Endpoint=sb://h/n;OAuthUsername=u", "TB-104"), ("Endpoint=sb://h/n;OAuthPassword=p", "TB-104"),
      ("Endpoint=;OAuthUsername=u;OAuthPassword=p", "TB-104"), ("Endpoint=sb:///n;OAuthUsername=u;OAuthPassword=p", "TB-104"),
      ("Endpoint=https://h/n;OAuthUsername=u;OAuthPassword=p", "TB-103"),
      ("Endpoint=sb://a/n,sb://b/n;OAuthUsername=u", "TB-109"),
      ("Endpoint=sb://h/n;OAuthUsername=u;OAuthPasword=p", "TB-107"),
      ("Endpoint=sb://h/n;OAuthUsername=u;OAuthPassword=a;b", "TB-103"),
      ("Endpoint=sb://h/n;OAuthUsername=u;OAuthUsername=v;OAuthPassword=p", "TB-108"),
      ("Endpoint=sb://h:z/n;OAuthUsername=u;OAuthPassword=p", "TB-106"),
    ])
  func malformed(text: String, code: String) {
    let error = #expect(throws: TjenestebussError.self) { try BusConnectionString(text) }
    #expect(error?.stableCode == code)
  }

  @Test("Nothing that prints a connection string, or an error about one, shows the password or a piece of it")
  func redaction() throws {
    let secret = "Sup3rS3cret"
    let string = try BusConnectionString("amqps://user:\(secret)@h:1/x")
    var dumped = ""
    dump(string, to: &dumped)
    for shown in ["\(string)", String(reflecting: string), dumped, "\([string])", "\(Optional(string) as Any)"] {
      #expect(!shown.contains(secret))
    }
    #expect("\(string)" == "amqps://user:<redacted>@h:1/x")

    let broken = [
      "amqps://user:\(secret)", "amqps://user:\(secret)/x@h", "amqps://user:x@\(secret)@h", "amqps://user:\(secret)%@h",
      "amqps://user:\(secret)@h:x", "amqps://user:\(secret)@h?x", "amqps://user:x?\(secret)@h", "amqps://user:x/\(secret)@h",
      "Endpoint=sb://h/n;OAuthUsername=u;OAuthPassword=x;\(secret)",
      "Endpoint=sb://h/n;OAuthUsername=u;OAuthPassword=x;\(secret)=y",
      "Endpoint=sb://user:\(secret)@h/n;OAuthUsername=u", secret, "amqp:\(secret)", "Endpoint=\(secret)",
    ]
    for text in broken {
      let error = #expect(throws: TjenestebussError.self) { try BusConnectionString(text) }
      if let error {
        #expect(!"\(error)".contains(secret), "\(error.stableCode)")
        #expect(!String(reflecting: error).contains(secret), "\(error.stableCode)")
      }
    }
  }

  @Test("What URLs demand to be escaped comes through, whatever it is")
  func anyPassword() throws {
    for byte in 0x20...0x7E {
      let character = String(UnicodeScalar(UInt8(byte)))
      let escaped = "%" + String(byte, radix: 16).uppercased()
      let string = try BusConnectionString("amqps://u:a\(escaped)b@h:5671/x")
      #expect(string.password == Secret("a\(character)b"))
      #expect(string.host == "h")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Testing

@Suite("A secret does not print, whichever way it is asked")
struct SecretTests {
  private struct Login {
    var user = "OrgUsr1"
    var password = Secret("hunter2-æøå")
    var spare: Secret? = Secret("hunter2-æøå")
    var all = [Secret("hunter2-æøå")]
    var byName = ["a": Secret("hunter2-æøå")]
  }

  @Test("description, debug description, reflection, interpolation, mirror and dump")
  func redacted() {
    let login = Login()
    var dumped = ""
    dump(login, to: &dumped)
    var dumpedSecret = ""
    dump(login.password, to: &dumpedSecret)
    let prints = [
      login.password.description, login.password.debugDescription, "\(login.password)", String(describing: login.password),
      String(reflecting: login.password), "\(login)", String(describing: login), String(reflecting: login), dumped, dumpedSecret,
      "\(login.spare as Any)", "\(login.all)", "\(login.byName)", String(describing: Mirror(reflecting: login.password)),
    ]
    for print in prints { #expect(!print.contains("hunter2"), "\(print)") }
    #expect(Mirror(reflecting: login.password).children.isEmpty)
    #expect("\(login.password)" == "<redacted>")
    #expect(dumped.contains("OrgUsr1"))
  }

  @Test("the plain text is to be had on purpose, unchanged")
  func plain() {
    #expect(Secret(" p w\n").withPlainText { $0 } == " p w\n")
    #expect(Secret("").isEmpty)
    #expect(!Secret(" ").isEmpty)
    #expect(Secret("a") == Secret("a"))
    #expect(Secret("a") != Secret("b"))
  }

  @Test("errors of the body pass through")
  func throwing() {
    struct Boom: Error {}
    #expect(throws: Boom.self) { try Secret("a").withPlainText { _ in throw Boom() } }
  }
}

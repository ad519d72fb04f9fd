// SPDX-License-Identifier: Apache-2.0

import Crypto
import Migration

/// The style sheet, which stands in the page itself, and the policy that lets nothing else in.
enum ReportStyle {
  /// - Parameter banner: the environment's name, at the head of every printed page.
  static func sheet(banner: String, pulje: String, page: String, of: String, isProduction: Bool) -> String {
    let colour = isProduction ? "#b00020" : "#1b4f8a"
    return """
      @page{size:A4;margin:20mm 15mm 17mm 15mm;\
      @top-left{content:\(Self.quoted(banner));font:bold 9pt sans-serif;color:\(colour)}\
      @top-right{content:\(Self.quoted(pulje));font:8.5pt sans-serif;color:#444}\
      @bottom-right{content:\(Self.quoted(page + " ")) counter(page) \(Self.quoted(" " + of + " ")) counter(pages);font:8.5pt sans-serif;color:#444}}
      @page wide{size:A4 landscape}
      *{box-sizing:border-box}
      body{font:14px/1.45 "Liberation Sans",Arial,"DejaVu Sans",sans-serif;color:#1a1a1a;background:#fff;margin:0 auto;max-width:1080px;padding:0 24px 48px}
      .banner{background:\(colour);color:#fff;font-weight:bold;letter-spacing:.04em;padding:8px 14px;margin:0 -24px 18px;position:sticky;top:0;\(isProduction ? "border-bottom:4px double #fff;" : "")}
      h1{font-size:26px;margin:0 0 2px}
      h2{font-size:19px;margin:34px 0 6px;border-bottom:2px solid #1a1a1a;padding-bottom:3px;break-after:avoid}
      h3{font-size:15px;margin:20px 0 4px;break-after:avoid}
      p{margin:6px 0}
      .sub{font-size:16px;color:#555;margin:0 0 14px}
      .note{color:#555;font-size:12.5px;max-width:90ch}
      .verdict{border:3px solid #1a1a1a;padding:12px 16px;margin:14px 0}
      .verdict strong{display:block;font-size:22px;letter-spacing:.02em}
      .verdict.do-not-roll-out{border-style:double;border-width:6px}
      .columns{display:table;width:100%;table-layout:fixed}
      .columns>section{display:table-cell;vertical-align:top;padding-right:20px}
      .columns>section:last-child{padding-right:0}
      ul{margin:4px 0 8px;padding-left:18px}
      li{margin:3px 0}
      table{border-collapse:collapse;width:100%;margin:8px 0 12px;font-size:12px}
      th,td{text-align:left;vertical-align:top;padding:3px 7px 3px 0;border-bottom:1px solid #c9ced6;overflow-wrap:break-word}
      th{font-size:11px;color:#555;border-bottom:1.5px solid #1a1a1a;overflow-wrap:normal}
      td.n,th.n{text-align:right;padding-right:10px}
      td.n{white-space:nowrap}
      td.t{white-space:nowrap}
      thead{display:table-header-group}
      tr{break-inside:avoid}
      table.key{width:auto}
      table.key th{color:#1a1a1a;font-weight:normal;border-bottom:1px solid #c9ced6;padding-right:24px;font-size:12px}
      table.key td{font-weight:bold}
      q{overflow-wrap:anywhere}
      q{quotes:"\u{201c}" "\u{201d}"}
      q:lang(nb){quotes:"\u{ab}" "\u{bb}"}
      code{font:11.5px "Liberation Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
      figure{margin:8px 0 4px;break-inside:avoid}
      svg.plot{width:100%;height:auto;display:block}
      details{margin:6px 0 12px}
      summary{cursor:pointer;color:#12507b}
      a{color:#12507b}
      @media print{body{max-width:none;padding:0;font-size:10pt}.banner{position:static;margin:0 0 10pt}h1{font-size:19pt}h2{font-size:14pt}table{font-size:8pt}th{font-size:7.5pt}table.key{font-size:8.5pt}table.key th{font-size:8.5pt}code{font-size:8pt}.note{font-size:8.5pt}details.full{display:none}.first{break-after:page}.first h3{margin:8pt 0 2pt}.first .verdict{margin:6pt 0;padding:6pt 10pt}.first li{margin:1.5pt 0}.wide{page:wide}.wide table{font-size:7pt}.banner{padding:5pt 8pt}h2{margin-top:18pt}nav{display:none}.columns{font-size:9pt}}
      """
  }

  /// A string of CSS: what could end it, or the style element, is written by its number.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", " ", "-", ".", ",", "_", "(", ")":
        quoted.unicodeScalars.append(scalar)
      default: quoted += "\\\(String(scalar.value, radix: 16)) "
      }
    }
    return quoted + "\""
  }

  /// Nothing is loaded, run or sent; the one style sheet is known by its hash.
  static func policy(_ sheet: String) -> String {
    let hash = Self.base64(Array(SHA256.hash(data: Array(sheet.utf8))))
    return "default-src 'none'; style-src 'sha256-\(hash)'; base-uri 'none'; form-action 'none'"
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let chunk = bytes[start..<min(start + 3, bytes.count)].map(UInt32.init)
      let value = chunk.reduce(0) { $0 << 8 | $1 } << (8 * UInt32(3 - chunk.count))
      for place in 0..<4 {
        text.append(place <= chunk.count ? digits[Int(value >> UInt32(18 - 6 * place) & 63)] : "=")
      }
    }
    return text
  }
}

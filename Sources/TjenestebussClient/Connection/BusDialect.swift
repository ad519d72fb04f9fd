// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Which dialect is spoken with a bus, and how that is known.
public enum BusDialect: Sendable, Hashable {
  /// As the configuration says; the bus has said nothing to the contrary.
  case configured(Dialect)
  /// The configuration does not say it: the bus did when it was connected to, or took an address of this form.
  case learnt(Dialect)
  /// As the configuration says, but the bus says of itself that it is something else. Spoken all the same, since only the
  /// configuration can say what is meant; sends may be refused or, worse, their acceptance may mean less than it should.
  case contradicted(configured: Dialect, seen: Dialect)
  /// The configuration does not say it, and nothing is known yet.
  case unknown

  /// What is spoken; nil while that is not known.
  public var spoken: Dialect? {
    switch self {
    case .configured(let dialect), .learnt(let dialect), .contradicted(let dialect, _): dialect
    case .unknown: nil
    }
  }

  /// With what the bus says of itself in its Open frame.
  ///
  /// - Parameters:
  ///   - configured: nil where the configuration does not say it.
  ///   - product: as the Open frame has it, and `version` too.
  init(configured: Dialect?, product: String?, version: String?) {
    let seen: Dialect? =
      switch DialectProbing(product: product, version: version).verdict {
      case .found(let dialect): dialect
      case .tryNext, .notFound: nil
      }
    switch (configured, seen) {
    case (nil, nil): self = .unknown
    case (nil, let seen?): self = .learnt(seen)
    // RabbitMQ 4 takes addresses of both forms, unless it was told otherwise: then it says so at the attach.
    case (let configured?, let seen?)
    where seen != configured && (configured, seen) != (.rabbitMQ4AddressV1, .rabbitMQ4AddressV2):
      self = .contradicted(configured: configured, seen: seen)
    case (let configured?, _): self = .configured(configured)
    }
  }
}

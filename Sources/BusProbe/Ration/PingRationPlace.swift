// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where it is kept when which party was pinged, and whose pings are seen there.
public struct PingRationPlace: Sendable, Hashable {
  public enum Reach: String, Sendable, Hashable {
    /// All who ping from this machine.
    case machine
    /// This user's programs alone: what others ping is not seen.
    case user
    /// As it was configured; who shares it is for the configuration to say.
    case configured
  }

  public var folder: String
  public var reach: Reach

  public init(folder: String, reach: Reach = .configured) {
    self.folder = folder
    self.reach = reach
  }

  /// The machine's folder. `systemd/tjenestebuss.tmpfiles` makes it at boot, for every user; a program that runs as root makes it too.
  public static let machineFolder = "/run/tjenestebuss/pings"

  /// What the system says of where folders may be.
  struct Surroundings: Sendable, Hashable {
    /// The machine's folder is there and may be written, or has just been made.
    var machineFolderWorks: Bool
    /// Of the unit, by systemd.
    var runtimeDirectory: String?
    /// Of the login, by systemd.
    var userRuntimeDirectory: String?
    var user: UInt32
  }

  /// The machine's folder where it can be used, else one of this user's. Pure.
  init(_ surroundings: Surroundings) {
    if surroundings.machineFolderWorks {
      self.init(folder: Self.machineFolder, reach: .machine)
    } else if let unit = surroundings.runtimeDirectory?.split(separator: ":").first, unit.hasPrefix("/") {
      self.init(folder: "\(unit)/pings", reach: .user)
    } else if let login = surroundings.userRuntimeDirectory, login.hasPrefix("/") {
      self.init(folder: "\(login)/tjenestebuss-pings", reach: .user)
    } else {
      self.init(folder: "/tmp/tjenestebuss-pings-\(surroundings.user)", reach: .user)
    }
  }

  /// Where it is kept when the configuration does not say where.
  public static func usual(environment: [String: String]) -> PingRationPlace {
    let user = UInt32(geteuid())
    if user == 0, access(Self.machineFolder, F_OK) != 0 {
      // Best effort: where it cannot be made, the user's own folder is used, and the step says so.
      mkdir("/run/tjenestebuss", 0o755)
      if mkdir(Self.machineFolder, 0o777) == 0 { chmod(Self.machineFolder, 0o777) }
    }
    return PingRationPlace(
      Surroundings(
        machineFolderWorks: access(Self.machineFolder, W_OK | X_OK) == 0,
        runtimeDirectory: environment["RUNTIME_DIRECTORY"], userRuntimeDirectory: environment["XDG_RUNTIME_DIR"], user: user))
  }
}

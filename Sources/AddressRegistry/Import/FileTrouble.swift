// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Why a file could not be read or written, in words for people: what Foundation prints is for programmers.
public enum FileTrouble {
  public static func words(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile?: return "no such file"
    case .fileNoSuchFile?: return "no such folder"
    case .fileReadNoPermission?, .fileWriteNoPermission?: return "this user may not"
    case .fileWriteOutOfSpace?: return "the disk is full"
    case .fileWriteVolumeReadOnly?: return "the disk is for reading only"
    default: break
    }
    let info = (error as? CocoaError)?.userInfo ?? (error as NSError).userInfo
    guard let below = info[NSUnderlyingErrorKey] as? any Error else { return "it cannot be used" }
    let code = (below as? POSIXError)?.code.rawValue ?? Int32(truncatingIfNeeded: (below as NSError).code)
    switch code {
    case EISDIR: return "it is a folder"
    case ENOENT: return "no such file or folder"
    default: return String(cString: strerror(code))
    }
  }
}

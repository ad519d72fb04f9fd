// SPDX-License-Identifier: Apache-2.0

/// A cache file as schema 1 had it, with `party(1)` in it, read at `start` from the register in version 3. Its hash and seal were
/// computed by another program from what schema 1 laid down.
let firstFormFile = """
  CREATE TABLE party (
    her_id INTEGER PRIMARY KEY NOT NULL CHECK (her_id > 0), name TEXT NOT NULL, kind TEXT NOT NULL, parent INTEGER,
    active INTEGER NOT NULL CHECK (active IN (0, 1)), valid INTEGER NOT NULL CHECK (valid IN (0, 1)), source TEXT NOT NULL,
    read_at_ms INTEGER NOT NULL, version INTEGER NOT NULL CHECK (version > 0), record_hash TEXT NOT NULL, seal TEXT NOT NULL
  ) STRICT;
  CREATE INDEX party_by_parent ON party (parent);
  CREATE TABLE address (
    her_id INTEGER NOT NULL REFERENCES party (her_id) ON DELETE CASCADE, position INTEGER NOT NULL, type_code TEXT NOT NULL,
    text TEXT NOT NULL, inherited INTEGER NOT NULL CHECK (inherited IN (0, 1)), PRIMARY KEY (her_id, position)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO party VALUES (1, 'Testsenteret', 'service', NULL, 1, 1, 'soap', 1750000000000, 3,
    '0f70b569a994ca24b0eaec5d413d653f72e1e139f85ee83a73c91fc430c72f72',
    '604d35ade9148e9114303f656589db4523df70afa7503ab1279e87e5969237d8');
  INSERT INTO address VALUES (1, 0, 'E_SB_ASYNC', 'sb.test.nhn.no/DigitalDialog/1_async', 0);
  INSERT INTO address VALUES (1, 1, 'E_SB_SYNC', 'sb.test.nhn.no/DigitalDialog/1_sync', 0);
  INSERT INTO address VALUES (1, 2, 'E_SB_ERROR', 'sb.test.nhn.no/DigitalDialog/1_error', 0);
  PRAGMA application_id = 1416249682;
  PRAGMA user_version = 1;
  """

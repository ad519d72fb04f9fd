// SPDX-License-Identifier: Apache-2.0
#include "CBaseline.h"
#include <sqlite3.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double baseline_look_up(const char *path, const int32_t *her_ids, long count, int64_t *bytes) {
  sqlite3 *database = NULL;
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_prepare_v3(
      database, "SELECT her_id, content, source, read_at_ms, version, record_hash, change, seal FROM party WHERE her_id = ?", -1,
      SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (code != SQLITE_OK) {
    sqlite3_close_v2(database);
    return -code;
  }
  int64_t sum = 0;
  double start = now();
  for (long i = 0; i < count; i++) {
    sqlite3_bind_int64(statement, 1, her_ids[i]);
    if (sqlite3_step(statement) == SQLITE_ROW) {
      const unsigned char *content = sqlite3_column_blob(statement, 1);
      const unsigned char *hash = sqlite3_column_blob(statement, 5);
      const unsigned char *seal = sqlite3_column_blob(statement, 7);
      sum += content[0] + hash[0] + seal[0] + sqlite3_column_bytes(statement, 1);
      sum += sqlite3_column_int64(statement, 0) + sqlite3_column_int64(statement, 2);
      sum += sqlite3_column_int64(statement, 3) + sqlite3_column_int64(statement, 4) + sqlite3_column_int64(statement, 6);
    }
    sqlite3_reset(statement);
  }
  double seconds = now() - start;
  sqlite3_finalize(statement);
  sqlite3_close_v2(database);
  *bytes = sum;
  return seconds;
}

double baseline_thread_seconds(void) { return now(); }

double baseline_process_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

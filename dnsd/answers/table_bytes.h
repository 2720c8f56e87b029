#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/compiler.h"

namespace meshdns::answers {

/// Returns a table as bytes, for the next start of the same program with the same configuration: hosts are in the file
/// as they are in memory. Zones and static records are not, because they follow from the configuration.
/// head: bytes to begin with
/// thread: any that reads the table
std::string bytes_of(const AnswerTable& table, TimePoint now, std::string_view head = {});

/// Reads a table that bytes_of() has written.
/// zones: the number of configured zones
/// age:   time since the bytes were written; added to all durations in them
/// errors: DataLoss
/// returns: a table in which nothing refers to anything outside of it, whatever the bytes are
Result<KeptTable> kept_table_of(std::string_view bytes, std::size_t zones, TimePoint now, Duration age);

}  // namespace meshdns::answers

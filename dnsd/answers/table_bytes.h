#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/compiler.h"

namespace meshdns::answers {

/// A table as bytes, for the next start of the same program with the same configuration: the layout of hosts in memory
/// is that of the file. Static records and zones are not in it.
/// head: what stands before them
/// thread: any that reads the table
std::string bytes_of(const AnswerTable& table, TimePoint now, std::string_view head = {});

/// zones: how many are configured
/// age: how long ago the bytes were made; what lasted for so long then has lasted longer by it
/// errors: DataLoss; nothing in the result reaches outside of it, whatever the bytes are
Result<KeptTable> kept_table_of(std::string_view bytes, std::size_t zones, TimePoint now, Duration age);

}  // namespace meshdns::answers

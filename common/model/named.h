#pragma once

#include <map>
#include <string>

#include "common/base/names.h"
#include "common/base/text.h"

namespace meshdns::model {

/// Returns the record with exactly this name, otherwise the first whose name differs only in the case of letters; null
/// = there is neither. Reads all records if no record has exactly this name.
template <class Record>
const Record* find_named(const std::map<std::string, Record>& records, const std::string& name) {
  const auto exact = records.find(name);
  if (exact != records.end()) return &exact->second;
  for (const auto& [key, record] : records) {
    if (key.size() == name.size() && same_name(key, name)) return &record;
  }
  return nullptr;
}

}  // namespace meshdns::model

#pragma once

#include <functional>
#include <string>

#include "agent/report/syncer.h"

namespace meshdns::report {

/// A record is "key=service", without its age.
inline Codec readable_codec() {
  Codec codec;
  codec.encode = [](const model::Endpoint& endpoint, TimePoint) { return endpoint.key + "=" + endpoint.service; };
  codec.hash = [](const std::string& key, const std::string& bytes) {
    return std::hash<std::string>{}(key + '\0' + bytes);
  };
  return codec;
}

inline model::Endpoint endpoint(const std::string& key, const std::string& value = "v1") {
  model::Endpoint out;
  out.key = key;
  out.service = value;
  return out;
}

}  // namespace meshdns::report

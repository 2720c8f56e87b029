#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "common/kubernetes/events.h"
#include "common/kubernetes/json_text.h"
#include "dnsd/resources/resource.h"

namespace meshdns::resources::test {

inline constexpr const Kind& kDestination = kKinds[0];
inline constexpr const Kind& kCluster = kKinds[1];
inline constexpr const Kind& kOverride = kKinds[2];

/// Returns a VirtualDestination as the API has it.
inline std::string destination(const std::string& name, int generation, const std::string& host,
                               const std::string& more = "") {
  return R"({"apiVersion":"meshdns.io/v1alpha1","kind":"VirtualDestination","metadata":{"name":")" + name +
         R"(","namespace":"shop","uid":"u-)" + name + R"(","resourceVersion":"7","generation":)" +
         std::to_string(generation) +
         R"(,"creationTimestamp":"2026-11-29T16:00:00Z","annotations":{"a":"b",)"
         R"("kubectl.kubernetes.io/last-applied-configuration":"{}"},"managedFields":[{"manager":"kubectl"}]},)"
         R"("spec":{"hosts":[")" +
         host + "\"]}" + more + "}";
}

inline kubernetes::Event event(const std::string& text, kubernetes::EventType type = kubernetes::EventType::Added) {
  return {type, kubernetes::parse_object(text).value()};
}

}  // namespace meshdns::resources::test

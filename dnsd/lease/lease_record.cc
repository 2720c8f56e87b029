#include "dnsd/lease/lease_record.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <limits>

#include "common/kubernetes/object_reader.h"
#include "common/time/time_text.h"

namespace meshdns::lease {
namespace {

constexpr std::int64_t kMicros = 1'000'000;  // of a second

}  // namespace

Result<LeaseRecord> parse_lease(const boost::json::object& object) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();  // as the API has these numbers
  std::string problem;
  const kubernetes::ObjectReader lease(object, problem);
  const auto spec = lease.object("spec");
  LeaseRecord out;
  out.holder = spec.text("holderIdentity");
  out.seconds = static_cast<std::int64_t>(spec.number("leaseDurationSeconds", kMost));
  out.acquired = spec.text("acquireTime");
  out.renewed = spec.text("renewTime");
  out.transitions = static_cast<std::int64_t>(spec.number("leaseTransitions", kMost));
  out.version = lease.object("metadata").text("resourceVersion");
  if (problem.empty() && out.version.empty()) problem = "metadata.resourceVersion: is missing";
  if (!problem.empty()) return Error(Code::DataLoss, problem);
  return out;
}

std::string lease_text(const LeaseRecord& record, const std::string& namespace_, const std::string& name,
                       const boost::json::object& last) {
  boost::json::object metadata{{"namespace", namespace_}, {"name", name}};
  if (!record.version.empty()) metadata["resourceVersion"] = record.version;
  if (const auto* before = last.if_contains("metadata"); before != nullptr && before->is_object()) {
    for (const char* kept : {"labels", "annotations", "ownerReferences", "finalizers"}) {
      if (const auto* value = before->get_object().if_contains(kept)) metadata[kept] = *value;
    }
  }
  const boost::json::object spec{{"holderIdentity", record.holder},
                                 {"leaseDurationSeconds", record.seconds},
                                 {"acquireTime", record.acquired},
                                 {"renewTime", record.renewed},
                                 {"leaseTransitions", record.transitions}};
  return boost::json::serialize(boost::json::object{
      {"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}, {"metadata", metadata}, {"spec", spec}});
}

std::string micro_time_text(std::int64_t unix_micros) {
  const std::string seconds = time_text(unix_micros / kMicros);  // "2026-11-29T17:17:54Z"
  return fmt::format("{}.{:06}Z", seconds.substr(0, seconds.size() - 1), unix_micros % kMicros);
}

}  // namespace meshdns::lease

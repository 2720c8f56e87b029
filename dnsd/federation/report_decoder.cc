#include "dnsd/federation/report_decoder.h"

#include <algorithm>
#include <utility>

#include "common/convert/report_convert.h"

namespace meshdns::federation {
namespace {

/// Splits an error "field: reason" into a refusal. Nothing of the record can be used.
catalog::Refusal refusal_of(const std::string& key, const Error& error) {
  const auto colon = error.message().find(": ");
  if (colon == std::string::npos) return {key, "", error.message(), false, true};
  return {key, error.message().substr(0, colon), error.message().substr(colon + 2), false, true};
}

void note(const v1::Endpoint& record, ClampedRecords& clamped) {
  const auto beyond = convert::out_of_bounds(record);
  if (!beyond) return;
  if (clamped.count == 0) {
    clamped.key = record.key();
    clamped.first = beyond;
  }
  clamped.count += beyond.count;
}

}  // namespace

std::optional<std::string> loopback_problem(const std::vector<IpAddress>& addresses, bool here) {
  const auto found = std::ranges::find_if(addresses, &IpAddress::is_loopback);
  if (here || found == addresses.end()) return std::nullopt;
  return found->text() + " is on the agent's own machine only: clients would ask themselves there";
}

std::vector<model::Endpoint> decode_report(const google::protobuf::RepeatedPtrField<std::string>& encoded,
                                           const ReportSource& source, NodeCopy& copy, const catalog::Catalog& catalog,
                                           Refusals& refusals, ClampedRecords& clamped) {
  std::vector<model::Endpoint> out;
  v1::Endpoint record;
  for (const std::string& bytes : encoded) {
    if (!record.ParseFromString(bytes)) {
      refusals.add({"", "", "not an Endpoint"});
      continue;
    }
    record.clear_memberships();  // which services a pod belongs to is not its agent's to say
    note(record, clamped);
    copy.put(record.key(), convert::record_hash(record.key(), bytes));
    auto endpoint = convert::from_wire(record, source.node, source.now);
    auto loopback = endpoint ? loopback_problem(endpoint->addresses, source.here) : std::nullopt;
    if (endpoint && !loopback) {
      endpoint->unwatched = false;  // only the federation decides that
      out.push_back(std::move(*endpoint));
      continue;
    }
    auto refusal = loopback ? catalog::Refusal{endpoint->key, "addresses", *std::move(loopback), false, true}
                            : refusal_of(source.node + "/" + record.key(), endpoint.error());
    copy.note_refused(source.node, refusal, catalog);
    refusals.add(std::move(refusal));
  }
  return out;
}

}  // namespace meshdns::federation

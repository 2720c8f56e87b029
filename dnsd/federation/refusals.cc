#include "dnsd/federation/refusals.h"

#include <string_view>

#include "common/base/utf8.h"
#include "common/model/limits.h"

namespace meshdns::federation {
namespace {

v1::Nack::Code code_of(catalog::Refusal::Kind kind) {
  switch (kind) {
    case catalog::Refusal::Kind::Invalid: return v1::Nack::INVALID;
    case catalog::Refusal::Kind::HostNotAllowed:  // agents list no hosts
    case catalog::Refusal::Kind::NotAllowed: return v1::Nack::NOT_ALLOWED;
    case catalog::Refusal::Kind::OverQuota: return v1::Nack::OVER_QUOTA;
  }
  return v1::Nack::CODE_UNSPECIFIED;
}

}  // namespace

std::set<std::string> keys_of(const std::vector<catalog::Refusal>& refused) {
  std::set<std::string> out;
  for (const catalog::Refusal& each : refused) out.insert(each.key);
  return out;
}

void Refusals::write(const std::string& node, const model::Records& records, v1::Ack& ack) const {
  const std::string own = node + "/";
  std::size_t bytes = 0;
  for (const catalog::Refusal& refusal : listed) {
    v1::Nack& nack = *ack.add_nacks();
    nack.set_type(refusal.key == node ? "Node" : "Endpoint");
    const std::string_view key = refusal.key;
    nack.set_key(std::string(utf8_prefix(key.starts_with(own) ? key.substr(own.size()) : key, model::kLongestKey)));
    nack.set_field(refusal.field);
    nack.set_code(code_of(refusal.kind));
    nack.set_reason(std::string(utf8_prefix(refusal.reason, model::kLongestDetail)));
    nack.set_kept_previous(records.endpoints.contains(refusal.key));
    bytes += nack.ByteSizeLong();
    if (bytes >= kMostNackBytes) break;
  }
  if (const auto told = static_cast<std::size_t>(ack.nacks_size()); told < count) {
    v1::Nack& rest = *ack.add_nacks();
    rest.set_type("Endpoint");
    rest.set_code(v1::Nack::INVALID);
    rest.set_reason(std::to_string(count - told) + " more records were refused");
  }
}

}  // namespace meshdns::federation

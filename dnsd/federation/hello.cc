#include "dnsd/federation/hello.h"

#include <algorithm>
#include <utility>

#include "common/convert/features.h"
#include "common/convert/report_convert.h"
#include "dnsd/catalog/validate.h"
#include "dnsd/federation/report_decoder.h"

namespace meshdns::federation {
namespace {

constexpr std::uint32_t kProtocol = 1;
constexpr Duration kNotAllowedRetry = 60s;  // until somebody has changed a certificate or a rule

tl::unexpected<HelloRefusal> refused(std::string message, v1::Goodbye::Reason reason = v1::Goodbye::PROTOCOL_ERROR,
                                     Duration retry_after = 60s) {
  return tl::unexpected(HelloRefusal{reason, std::move(message), retry_after});
}

}  // namespace

tl::expected<Introduction, HelloRefusal> read_hello(const v1::Hello& hello, const ReportPeer& peer, Loopback loopback) {
  if (hello.protocol() != kProtocol) {
    return refused("protocol " + std::to_string(hello.protocol()) + " is not spoken here");
  }
  auto node = convert::from_wire(hello.node());
  if (!node) return refused(node.error().message());
  const auto allowed = peer.caller.may({identity::Verb::Report, node->locality.cluster, node->locality.node});
  if (!allowed) return refused(allowed.error().message(), v1::Goodbye::NOT_ALLOWED, kNotAllowedRetry);
  if (const auto problem = loopback_problem(node->addresses, peer.here)) {
    return refused("node: addresses: " + *problem);
  }
  if (const auto refusal = catalog::check(*node, loopback)) {
    return refused("node: " + refusal->field + ": " + refusal->reason);
  }
  for (const auto& [field, id] : {std::pair{"instance_uid", &hello.instance_uid()}, {"boot_id", &hello.boot_id()}}) {
    if (id->size() > kLongestId) return refused(std::string(field) + ": is longer than 256 bytes");
  }
  const auto has = [&](const char* feature) {
    return std::ranges::find(hello.features(), feature) != hello.features().end();
  };
  return Introduction{*std::move(node),   hello.instance_uid(),          hello.boot_id(),           hello.digest(),
                      hello.last_epoch(), has(convert::kWithoutService), has(convert::kPortMapping)};
}

}  // namespace meshdns::federation

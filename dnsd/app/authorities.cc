#include "dnsd/app/authorities.h"

#include <memory>
#include <string>
#include <vector>

#include "common/authority/vouching.h"
#include "common/base/whole_file.h"

namespace meshdns::dnsd::app {
namespace {

bool vouches(const std::string& file, std::string_view chain) {
  const auto authorities = read_file(file);
  return authorities && authority::vouches(*authorities, chain);
}

}  // namespace

identity::FindAuthority find_authority(const Configuration& configuration) {
  using Bound = std::vector<identity::BoundAuthority>;
  if (!configuration.tls || configuration.cluster_authorities.empty()) return {};
  return [own = configuration.tls->ca, all = std::make_shared<const Bound>(configuration.cluster_authorities)](
             std::string_view chain) -> Result<const identity::BoundAuthority*> {
    if (vouches(own, chain)) return nullptr;
    for (const identity::BoundAuthority& each : *all) {
      if (vouches(each.file, chain)) return &each;
    }
    return Error(Code::PermissionDenied, "the authority of the certificate is not known any more");
  };
}

}  // namespace meshdns::dnsd::app

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/override.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::ctl {

/// What drain, force and freeze ask for.
struct OverrideWish {
  model::Action action = model::Action::Drain;
  std::optional<model::Target> target;  // nothing = freeze
  std::string reason;
  std::string author;
  std::int64_t expires = 0;  // unix seconds; 0 = never
};

/// "node=eu1-n1", from the words that stand on the command line.
/// errors: InvalidArgument: how it is written
Result<model::Target> target_of(const std::vector<std::string>& words);

/// "drain-node-eu1-n1", "force-service-shop.web", "freeze": the same wish has the same name, so that it replaces the
/// one before; it is a DNS name whatever the target is called.
std::string override_name(model::Action action, const std::optional<model::Target>& target);

v1::Object override_object(const OverrideWish& wish);

/// Of an object, "node=eu1-n1"; "all" of a freeze.
std::string target_text_of(const v1::Object& object);

}  // namespace meshdns::ctl

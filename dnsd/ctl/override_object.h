#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/override.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::ctl {

/// The override that drain, force or freeze asks for.
struct OverrideWish {
  model::Action action = model::Action::Drain;
  std::optional<model::OverrideTarget> target;  // nothing = freeze
  std::string reason;
  std::string author;
  std::int64_t expires = 0;  // unix seconds; 0 = never
};

/// Returns the target in the words of a command line, like "node=eu1-n1".
/// errors: InvalidArgument, with the right spelling
Result<model::OverrideTarget> target_of(const std::vector<std::string>& words);

/// Returns the name of an override: "drain-node-eu1-n1", "force-service-shop.web", "freeze". The same wish always has
/// the same name, and so replaces the previous override. It is a DNS name, whatever the target is called.
std::string override_name(model::Action action, const std::optional<model::OverrideTarget>& target);

/// Returns the Override object for a wish.
v1::Object override_object(const OverrideWish& wish);

/// Returns the target of an Override object: "node=eu1-n1"; "all" for a freeze.
std::string target_text_of(const v1::Object& object);

}  // namespace meshdns::ctl

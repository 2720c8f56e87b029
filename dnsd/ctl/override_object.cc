#include "dnsd/ctl/override_object.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/model/host_name.h"
#include "common/time/time_text.h"

namespace meshdns::ctl {
namespace {

constexpr std::size_t kLongestName = 200;

/// Returns a hash that keeps names apart which dns_text() makes equal. It is a part of the names of overrides, which
/// other versions of meshdnsctl must find again: never change its values.
/// source: FNV-1a
std::string digest_text(const std::string& text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return fmt::format("{:08x}", hash);
}

/// Returns a name that DNS accepts: "eu-1.n1" for "eu-1/n1", "10.0.0.11-8080" for "10.0.0.11:8080".
/// exact: becomes false if another name could have the same result
std::string dns_text(const std::string& name, bool& exact) {
  std::string out;
  for (const char c : name) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    exact = exact && (good || c == '/' || c == ':');
    out += good ? c : c == '/' ? '.' : c >= 'A' && c <= 'Z' ? ascii_lower(c) : '-';
  }
  return out;
}

/// Writes the target's name into the field of its kind.
void write_target(const model::OverrideTarget& target, v1::OverrideSpec::Target& out) {
  switch (target.kind) {
    case model::TargetKind::Endpoint: return out.set_endpoint(target.name);
    case model::TargetKind::Node: return out.set_node(target.name);
    case model::TargetKind::Service: return out.set_service(target.name);
    case model::TargetKind::Zone: return out.set_zone(target.name);
    case model::TargetKind::Cluster: return out.set_cluster(target.name);
  }
}

/// Returns the target that may be meant: "node=eu1-n1" for "node eu1-n1" and "node/eu1-n1"; empty = none.
std::string meant_by(const std::vector<std::string>& words) {
  if (words.size() > 2 || join(words, "").find('=') != std::string::npos) return "";
  std::string kind = words.front();
  std::string name = words.size() == 2 ? words[1] : "";
  if (const auto slash = kind.find('/'); words.size() == 1 && slash != std::string::npos) {
    name = kind.substr(slash + 1);
    kind.resize(slash);
  }
  const auto meant = model::parse_target(kind + "=" + name);
  return meant ? target_text(*meant) : "";
}

}  // namespace

Result<model::OverrideTarget> target_of(const std::vector<std::string>& words) {
  if (words.empty()) return Error(Code::InvalidArgument, "say for what: node=NAME, zone=NAME, ...");
  if (words.size() == 1) {
    auto target = model::parse_target(words.front());
    if (target) {
      if (target->kind != model::TargetKind::Service || target->name.find('/') != std::string::npos) return target;
      return Error(Code::InvalidArgument, "a service is written service=NAMESPACE/NAME (got " + words.front() + ")");
    }
    if (meant_by(words).empty()) return target;
  }
  const std::string meant = meant_by(words);
  if (!meant.empty()) return Error(Code::InvalidArgument, "a target is written with =: " + meant);
  return Error(Code::InvalidArgument, "one target, such as node=eu1-n1 (got " + join(words, " ") + ")");
}

std::string override_name(model::Action action, const std::optional<model::OverrideTarget>& target) {
  if (!target) return "freeze";
  const std::string word = action == model::Action::Drain ? "drain" : "force";  // for up and down: up replaces down
  const std::string prefix = word + "-" + std::string(target_kind_name(target->kind)) + "-";
  bool exact = true;
  std::string name = prefix + dns_text(target->name, exact);
  if (exact && name.size() <= kLongestName && model::is_host_name(name)) return name;
  const std::string end = "-" + digest_text(target->name);
  if (name = name.substr(0, kLongestName) + end; model::is_host_name(name)) return name;
  return word + "-" + std::string(target_kind_name(target->kind)) + end;
}

v1::Object override_object(const OverrideWish& wish) {
  v1::Object out;
  out.set_api_version("meshdns.io/v1alpha1");
  out.set_kind("Override");
  out.mutable_metadata()->set_name(override_name(wish.action, wish.target));
  v1::OverrideSpec& spec = *out.mutable_override();
  if (wish.target) write_target(*wish.target, *spec.mutable_target());
  spec.set_action(std::string(action_name(wish.action)));
  spec.set_reason(wish.reason);
  spec.set_author(wish.author);
  if (wish.expires != 0) spec.set_expires(time_text(wish.expires));
  return out;
}

std::string target_text_of(const v1::Object& object) {
  const v1::OverrideSpec::Target& target = object.override().target();
  if (!target.endpoint().empty()) return "endpoint=" + target.endpoint();
  if (!target.node().empty()) return "node=" + target.node();
  if (!target.service().empty()) return "service=" + target.service();
  if (!target.zone().empty()) return "zone=" + target.zone();
  return target.cluster().empty() ? "all" : "cluster=" + target.cluster();
}

}  // namespace meshdns::ctl

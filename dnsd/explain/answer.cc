#include "dnsd/explain/answer.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "dnsd/answers/explain.h"
#include "dnsd/topology/families.h"

namespace meshdns::explain {
namespace {

constexpr std::size_t kMostAddresses = 4;  // shown in a text

constexpr std::array kFamilies = {Family::V4, Family::V6};

/// Returns where clients of this tier get addresses of a family that the tier lacks; empty = the tier has both
/// families, or no tier has the other.
std::string families_text(const topology::HostPlan& host, const topology::Decision& decision,
                          const topology::Tier& tier) {
  std::vector<std::string> out;
  for (const Family family : kFamilies) {
    const auto has = [&](const topology::Tier& each) { return topology::has_family(host, each, family); };
    if (has(tier) || std::ranges::none_of(decision.tiers, has)) continue;
    const std::string name = family == Family::V4 ? "IPv4" : "IPv6";
    const auto other = topology::family_tier(host, decision, tier.number, family);
    out.push_back(other ? name + " from tier " + std::to_string(*other) : "no " + name);
  }
  return join(out, ", ");
}

std::string in_brackets(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

std::string brief_text(const Answer::Part& part) {
  return part.number + " " + part.brief + ": " + counted(part.endpoints, "endpoint") + in_brackets(part.families);
}

std::string first_addresses(const Answer::Part& part) {
  const std::size_t shown = std::min(kMostAddresses, part.addresses.size());
  const auto end = part.addresses.begin() + static_cast<std::ptrdiff_t>(shown);
  std::string out = join({part.addresses.begin(), end}, ", ");
  if (shown < part.addresses.size()) out += " and " + std::to_string(part.addresses.size() - shown) + " more";
  return out;
}

/// Returns the texts of all parts, after what is abnormal.
template <class F>
std::string told(const Answer& answer, const char* between, F text_of) {
  std::vector<std::string> texts;
  for (const Answer::Part& part : answer.parts) texts.push_back(text_of(part));
  return (answer.unusual.empty() ? "" : answer.unusual + ", ") + join(texts, between);
}

std::string load_text(const Answer::Part& part) {
  return part.load == 100 ? "" : " " + std::to_string(part.load) + "%";
}

}  // namespace

std::vector<std::string> addresses_of(const topology::HostPlan& host, const topology::Decision& decision,
                                      const topology::Tier& tier) {
  std::vector<std::string> out;
  for (const Family family : kFamilies) {
    const auto from = topology::family_tier(host, decision, tier.number, family);
    if (!from) continue;
    for (const IpAddress& address : topology::addresses_of(host, decision.tiers[*from], family)) {
      out.push_back(address.text());
    }
  }
  return out;
}

Answer answer_of(const topology::HostPlan& host, const topology::Decision& decision) {
  Answer out;
  out.serves = decision.answer_tier.has_value() && !decision.last_resort();
  if (!decision.answer_tier) out.unusual = answers::emptiness_text(decision.emptiness);
  if (decision.last_resort()) out.unusual = "last resort (" + std::string(standing_name(decision.kind)) + ")";
  for (const topology::Tier& tier : decision.tiers) {
    if (tier.load == 0) continue;
    topology::Tier alone = tier;
    alone.part.clear();
    Answer::Part part{tier.load,
                      addresses_of(host, decision, tier),
                      tier.answering.size(),
                      "tier " + std::to_string(tier.number),
                      answers::tier_name(tier),
                      answers::tier_name(alone),
                      families_text(host, decision, tier)};
    std::ranges::sort(part.addresses);
    out.parts.push_back(std::move(part));
  }
  return out;
}

std::string summary(const Answer& answer) {
  if (answer.parts.empty()) return "nothing";
  if (answer.parts.size() == 1) return told(answer, "", brief_text);
  return told(answer, ", ", [](const Answer::Part& part) { return part.number + load_text(part); });
}

std::string text(const Answer& answer) {
  if (answer.parts.empty()) return "nothing: " + answer.unusual;
  return told(answer, "; ", [](const Answer::Part& part) {
    return part.number + " " + part.tier + load_text(part) + ": " + first_addresses(part) + in_brackets(part.families);
  });
}

}  // namespace meshdns::explain

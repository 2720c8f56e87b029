#include "common/model/ladder.h"

#include <fmt/format.h>
#include <optional>

#include "common/base/text.h"

namespace meshdns::model {
namespace {

constexpr std::uint8_t bit(Part part) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(part)); }

std::optional<Part> find_part(std::string_view word) {
  for (const Part part : kParts) {
    if (part_name(part) == word) return part;
  }
  return std::nullopt;
}

}  // namespace

std::uint8_t with_implied(Part part) {
  switch (part) {
    case Part::Subzone: return bit(part) | with_implied(Part::Zone);
    case Part::Zone: return bit(part) | bit(Part::Region);
    case Part::Node: return bit(part) | bit(Part::Cluster);
    default: return bit(part);
  }
}

Result<Rung> parse_rung(std::string_view text) {
  if (text == "any") return Rung{0, "any"};
  std::uint8_t parts = 0;
  std::uint8_t all = 0;
  for (const auto word : split(text, '+')) {
    const auto part = find_part(word);
    if (!part) {
      const auto guess = did_you_mean(word, {"network", "region", "zone", "subzone", "cluster", "node", "any"});
      return Error(
          Code::InvalidArgument,
          fmt::format("expected any, or network, region, zone, subzone, cluster, node joined by + (got \"{}\"{})", text,
                      guess ? fmt::format(", did you mean \"{}\"?", *guess) : ""));
    }
    if (parts & bit(*part)) return Error(Code::InvalidArgument, fmt::format("\"{}\" names {} twice", text, word));
    parts |= bit(*part);
    all |= with_implied(*part);
  }
  return Rung{all, std::string(text)};
}

const Ladder& default_ladder() {
  static const Ladder ladder = [] {
    Ladder out;
    for (const auto* name : {"cluster+zone", "cluster", "zone", "region", "any"}) out.push_back(*parse_rung(name));
    return out;
  }();
  return ladder;
}

}  // namespace meshdns::model

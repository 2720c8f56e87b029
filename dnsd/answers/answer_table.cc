#include "dnsd/answers/answer_table.h"

#include "dnsd/topology/decide.h"

namespace meshdns::answers {

AnswerTable::Found AnswerTable::find(wire::NameBytes name, std::uint64_t hash) const noexcept {
  Found found;
  names->find(hash, [&](std::uint32_t id) {
    if ((id & Names::kNodeBit) != 0) {
      const Node& node = names->nodes()[id & ~Names::kNodeBit];
      if (wire::is_same(node.name, name)) found.node = &node;
    } else if (const Host* candidate = host(id); wire::is_same(candidate->name(), name)) {
      found.host = candidate;
    }
    return static_cast<bool>(found);
  });
  return found;
}

bool AnswerTable::may_explain(const Prefix& clients) const noexcept { return where->explain_allow.contains(clients); }

std::vector<ExplainLine> AnswerTable::explain(const Host& host, std::uint32_t place) const {
  const topology::HostPlan plan = plan_of(host, "");
  const topology::Client client{where->localities[place], panic_of(host, set(host, place))};
  return explain_lines({plan, client.place, clusters->geography()},
                       topology::decide(plan, client, clusters->geography()), version);
}

}  // namespace meshdns::answers

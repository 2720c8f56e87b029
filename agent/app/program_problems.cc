#include "agent/app/program_problems.h"

#include "agent/probes/exec_probe.h"

namespace meshdns::agent::app {
namespace {

/// Collects the problems of one check, or of the parts of a group.
struct Collect {
  const std::string& endpoint;
  const probes::ProgramRules& rules;
  std::vector<std::string>& out;

  void operator()(const probes::ExecCheck& check) const {
    const std::string problem = probes::program_problem(check, rules);
    if (!problem.empty()) out.push_back(endpoint + ": exec: " + problem);
  }
  void operator()(const probes::GroupCheck& group) const {
    for (const auto& part : group.parts) std::visit(*this, part);
  }
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

std::vector<std::string> program_problems(const std::vector<discovery::Discovered>& endpoints,
                                          const probes::ProgramRules& rules) {
  std::vector<std::string> out;
  for (const auto& found : endpoints) {
    for (const auto& check : found.checks) std::visit(Collect{found.key, rules, out}, check.what);
  }
  return out;
}

}  // namespace meshdns::agent::app

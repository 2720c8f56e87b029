#include "dnsd/app/simulations.h"

#include <utility>

#include "dnsd/explain/explanation.h"
#include "dnsd/explain/simulation.h"

namespace meshdns::app {

/// look: given the scene, gives a Result
template <class F>
auto Simulations::with_scene(const catalog::Catalog& catalog, Publisher& publisher, F look) {
  return publisher.with_table([&](const answers::AnswerTable* table) -> decltype(look(std::declval<explain::Scene>())) {
    if (table == nullptr) return Error(Code::Unavailable, "no answers are published yet");
    return look(explain::Scene{catalog, publisher.planner(), publisher.settings(), *table, clock_.now(),
                               clock_.unix_seconds()});
  });
}

Simulations::~Simulations() {
  for (const Running& running : running_) timers_.cancel(running.timer);
}

Result<v1::ExplainReply> Simulations::explain(const catalog::Catalog& catalog, Publisher& publisher,
                                              const v1::ExplainRequest& request) {
  return with_scene(catalog, publisher, [&](const explain::Scene& scene) { return explain::explain(scene, request); });
}

void Simulations::simulate(const catalog::Catalog& catalog, Publisher& publisher, const v1::SimulateRequest& request,
                           Done done) {
  auto supposition = explain::supposed(catalog.records().overrides, request);
  if (!supposition) return done(supposition.error());
  if (!request.explain().host().empty()) {
    return done(with_scene(catalog, publisher, [&](const explain::Scene& scene) {
      return explain::simulate(scene, request, *supposition);
    }));
  }
  if (running_.size() == kMostAtOnce) return done(Error(Code::Unavailable, "too many simulations at once"));
  auto survey = with_scene(catalog, publisher, [&](const explain::Scene& scene) -> Result<explain::Survey> {
    return explain::Survey(scene, *std::move(supposition));
  });
  if (!survey) return done(survey.error());
  go_on(running_.insert(running_.end(), {catalog, publisher, *std::move(survey), std::move(done)}));
}

void Simulations::go_on(std::list<Running>::iterator at) {
  const auto over = with_scene(at->catalog, at->publisher, [&](const explain::Scene& scene) -> Result<bool> {
    return at->survey.look(scene, kSlice);
  });
  if (over && !*over) {
    at->timer = timers_.after(Duration::zero(), [this, at] { go_on(at); });
    return;
  }
  const Running ended = std::move(*at);
  running_.erase(at);
  ended.done(over ? Result<v1::SimulateReply>(ended.survey.reply()) : over.error());
}

}  // namespace meshdns::app

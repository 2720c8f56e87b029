#include "dnsd/app/simulations.h"

#include <memory>
#include <utility>

#include "dnsd/explain/explanation.h"
#include "dnsd/explain/simulation.h"

namespace meshdns::dnsd::app {

/// Calls `look` with the scene of the published table, and returns its Result.
template <class F>
auto Simulations::with_scene(const catalog::Catalog& catalog, publish::Publisher& publisher, F look) {
  return publisher.with_table([&](const answers::AnswerTable* table) -> decltype(look(std::declval<explain::Scene>())) {
    if (table == nullptr) return Error(Code::Unavailable, "no answers are published yet");
    return look(explain::Scene{catalog, publisher.planner(), publisher.settings(), *table, clock_.now(),
                               clock_.unix_seconds()});
  });
}

Result<v1::ExplainReply> Simulations::explain(const catalog::Catalog& catalog, publish::Publisher& publisher,
                                              const v1::ExplainRequest& request) {
  if (!request.continue_().empty()) return explained_.next(request.continue_(), request.limit());
  auto whole =
      with_scene(catalog, publisher, [&](const explain::Scene& scene) { return explain::explain(scene, request); });
  if (!whole) return whole;
  return explained_.first(*std::move(whole), request.limit());
}

Result<v1::SimulateReply> Simulations::simulate_host(const catalog::Catalog& catalog, publish::Publisher& publisher,
                                                     const v1::SimulateRequest& request,
                                                     const explain::Supposition& supposition) {
  auto whole = with_scene(catalog, publisher,
                          [&](const explain::Scene& scene) { return explain::simulate(scene, request, supposition); });
  if (!whole) return whole;
  return simulated_.first(*std::move(whole), request.limit());
}

void Simulations::simulate(const catalog::Catalog& catalog, publish::Publisher& publisher,
                           const v1::SimulateRequest& request, const Done& done) {
  if (!request.continue_().empty()) return done(simulated_.next(request.continue_(), request.limit()));
  auto supposition = explain::supposed(catalog.records().overrides, request);
  if (!supposition) return done(supposition.error());
  if (!request.explain().host().empty()) return done(simulate_host(catalog, publisher, request, *supposition));
  if (running_ == kMostAtOnce) return done(Error(Code::Unavailable, "too many simulations at once"));
  auto begun = with_scene(catalog, publisher, [&](const explain::Scene& scene) -> Result<explain::Survey> {
    return explain::Survey(scene, *std::move(supposition));
  });
  if (!begun) return done(begun.error());
  const auto survey = std::make_shared<explain::Survey>(*std::move(begun));
  ++running_;
  const bool runs = slices_.run([this, &catalog, &publisher, survey, done](Slice& slice) {
    const auto over = with_scene(catalog, publisher, [&](const explain::Scene& scene) -> Result<bool> {
      while (slice.take(kSteps)) {
        if (survey->look(scene, kSteps)) return true;
      }
      return false;
    });
    if (over && !*over) return false;
    --running_;
    done(over ? Result<v1::SimulateReply>(survey->reply()) : over.error());
    return true;
  });
  if (runs) return;
  --running_;
  done(Error(Code::Unavailable, "too many calls at once"));
}

}  // namespace meshdns::dnsd::app

#include "dnsd/app/bounds_metrics.h"

#include <string>

#include "common/metrics/samples.h"
#include "common/rpc/stream_limits.h"
#include "dnsd/federation/agents.h"
#include "dnsd/federation/watchers.h"

namespace meshdns::app {
namespace {

using metrics::count;
using metrics::gauge;
using Samples = std::vector<metrics::Sample>;

void add_streams(Samples& out, const rpc::StreamLimits::Counts& counts) {
  gauge(out, "meshdns_federation_open_streams", "streams at the federation's port", {},
        static_cast<double>(counts.open));
  gauge(out, "meshdns_federation_silent_streams", "streams that have not said anything yet", {},
        static_cast<double>(counts.silent));
  const char* refused = "meshdns_federation_refused_streams_total";
  const char* help = "streams refused by the federation's bounds";
  count(out, refused, help, {{"reason", "open"}}, counts.refused);
  count(out, refused, help, {{"reason", "silent"}}, counts.refused_silent);
  count(out, refused, help, {{"reason", "connection"}}, counts.refused_connection);
}

}  // namespace

void add_bounds(Samples& out, const Parts& parts) {
  if (parts.streams != nullptr) add_streams(out, parts.streams->counts());
  const char* clamped = "meshdns_federation_clamped_values_total";
  const char* help = "values beyond what a peer can mean, which count as another value or as none";
  if (parts.agents != nullptr) {
    const federation::AgentCounters& counters = parts.agents->counters();
    gauge(out, "meshdns_federation_arriving_bytes", "bytes of agents' records whose last part is not here yet", {},
          static_cast<double>(parts.agents->arriving_bytes()));
    count(out, "meshdns_federation_cut_agents_total", "agents that read nothing", {}, counters.cut);
    count(out, clamped, help, {{"from", "agent"}}, counters.clamped);
  }
  if (parts.watchers != nullptr) {
    const federation::WatchCounters& counters = parts.watchers->counters();
    gauge(out, "meshdns_federation_unread_bytes", "bytes of updates that subscribers have not read yet, about", {},
          static_cast<double>(parts.watchers->unread_bytes()));
    count(out, "meshdns_federation_unread_waits_total", "updates that waited because too much was unread", {},
          counters.waits);
    count(out, clamped, help, {{"from", "subscriber"}}, counters.clamped);
  }
  if (parts.replica != nullptr) count(out, clamped, help, {{"from", "federation"}}, parts.replica->clamped());
  if (parts.persistence != nullptr) {
    gauge(out, "meshdns_store_lacked", "1 if the store had lost, at the start, some of what had been written", {},
          parts.persistence->lacked().empty() ? 0 : 1);
  }
}

}  // namespace meshdns::app

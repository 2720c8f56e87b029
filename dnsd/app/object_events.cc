#include "dnsd/app/object_events.h"

#include <vector>

#include "common/convert/object_convert.h"

namespace meshdns::dnsd::app {
namespace {

/// Returns the text of an event, as in "Override/freeze created: Freeze all by alice@host: incident 42".
std::string change_text(const v1::Object& object, const v1::ApplyResult& result) {
  const char* done = result.outcome() == v1::ApplyResult::CREATED ? " created" : " configured";
  if (!object.has_override()) return result.key() + done;
  const v1::OverrideSpec& spec = object.override();
  const auto word = convert::to_override(object);
  const bool all = !word || word->action == model::Action::Freeze;
  return result.key() + done + ": " + spec.action() + " " + (all ? "all" : target_text(word->target)) +
         (spec.author().empty() ? "" : " by " + spec.author()) + ": " + spec.reason();
}

std::vector<std::string> hosts_of(const v1::Object& object) {
  const auto& hosts = object.virtual_destination().hosts();
  return {hosts.begin(), hosts.end()};
}

}  // namespace

void note_changed(EventLog& events, const v1::ApplyRequest& request, const v1::ApplyReply& reply) {
  if (!reply.applied()) return;
  for (int i = 0; i < reply.results_size(); ++i) {
    const auto outcome = reply.results(i).outcome();
    if (outcome != v1::ApplyResult::CREATED && outcome != v1::ApplyResult::CONFIGURED) continue;
    events.note(hosts_of(request.objects(i)), change_text(request.objects(i), reply.results(i)));
  }
}

void note_deleted(EventLog& events, const v1::DeleteReply& reply) {
  for (const std::string& key : reply.deleted()) events.note({}, key + " deleted");
}

v1::ApplyReply all_refused(const v1::ApplyRequest& request, const std::string& why) {
  v1::ApplyReply reply;
  for (const v1::Object& object : request.objects()) {
    v1::ApplyResult& result = *reply.add_results();
    result.set_key(convert::object_key(object));
    result.set_outcome(v1::ApplyResult::REFUSED);
    result.set_error(why);
  }
  return reply;
}

}  // namespace meshdns::dnsd::app

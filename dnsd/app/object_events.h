#pragma once

#include <string>

#include "dnsd/app/event_log.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Adds an event for each object that a request has created or changed.
void note_changed(EventLog& events, const v1::ApplyRequest& request, const v1::ApplyReply& reply);
/// Adds an event for each object that was deleted.
void note_deleted(EventLog& events, const v1::DeleteReply& reply);
/// Returns the reply that refuses all objects of a request for the same reason.
v1::ApplyReply all_refused(const v1::ApplyRequest& request, const std::string& why);

}  // namespace meshdns::dnsd::app

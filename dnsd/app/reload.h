#pragma once

#include <string>
#include <vector>

#include "dnsd/app/configuration.h"

namespace meshdns::dnsd::app {

/// The result of the last reload.
struct ReloadState {
  std::vector<std::string> restart_needed;  // keys whose new value in the file needs a restart
  std::string problem;                      // the first line of the errors; empty = none
};

/// Returns whether both settings have the same addresses of listeners.
bool same_listeners(const answers::AnswerSettings& a, const answers::AnswerSettings& b);

/// Replaces the values in `next` that only a restart can change by those of `running`. So `next` describes what runs
/// after the reload, and the next reload is compared with that.
/// returns: the keys that differ and need a restart
std::vector<std::string> keep_what_cannot_change(const Configuration& running, Configuration& next);

}  // namespace meshdns::dnsd::app

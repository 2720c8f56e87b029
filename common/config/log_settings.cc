#include "common/config/log_settings.h"

#include "common/log/log.h"

namespace meshdns::config {

void apply_log(const v1::Log& settings) {
  if (const auto level = log::level_named(settings.level())) log::set_level(*level);
  log::set_format(settings.format() == "json" ? log::Format::Json : log::Format::Text);
}

}  // namespace meshdns::config

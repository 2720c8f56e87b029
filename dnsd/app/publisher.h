#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/published/published.h"
#include "common/time/time.h"
#include "dnsd/answers/compile.h"
#include "dnsd/app/publication_pace.h"
#include "dnsd/catalog/catalog.h"

namespace meshdns::app {

/// The one place where serving meets federation: compiles what the catalog says and publishes it to the workers, the
/// first change at once, the next ones at PublicationPace.
/// thread: control
class Publisher {
 public:
  Publisher(const catalog::Catalog& catalog, const Clock& clock, Timers& timers);
  ~Publisher();

  /// Publishes at once.
  void configure(answers::Settings settings, std::vector<answers::StaticRecord> static_records);
  /// Whether the records are older than they should be; published if it changed.
  void set_stale(bool stale);
  bool stale() const { return stale_; }
  /// Whether it is not known yet what there is; published if it changed.
  void set_not_ready(bool not_ready);
  bool not_ready() const { return not_ready_; }
  /// The catalog may have a new revision.
  void changed();

  const Published<answers::AnswerTable>& table() const { return table_; }
  /// What was published last, and from what; configure() comes first.
  const answers::Compiled& compiled() const { return compiled_; }
  const answers::Settings& settings() const { return settings_; }
  std::uint32_t serial() const { return serial_; }
  std::uint64_t publications() const { return publications_; }
  Duration last_cost() const { return last_cost_; }

 private:
  /// A number and when it came to be: a federation that begins anew may count up to the same number again.
  using Version = std::pair<std::uint64_t, TimePoint>;

  void publish();
  Version version() const { return {catalog_.revision(), catalog_.changed()}; }

  const catalog::Catalog& catalog_;
  const Clock& clock_;
  Timers& timers_;
  answers::Settings settings_;
  std::vector<answers::StaticRecord> static_records_;
  Published<answers::AnswerTable> table_;
  answers::Compiled compiled_;
  /// Tables that a worker may still read: freed here, never on a worker's thread.
  std::vector<std::shared_ptr<const answers::AnswerTable>> retired_;
  PublicationPace pace_;
  std::optional<TimerId> timer_;
  Version published_;
  bool stale_ = false;
  bool not_ready_ = false;
  std::uint32_t serial_;
  std::uint64_t publications_ = 0;
  Duration last_cost_{};
};

}  // namespace meshdns::app

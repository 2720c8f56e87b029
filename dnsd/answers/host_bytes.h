#pragma once

#include <cstdint>
#include <vector>

#include "dnsd/answers/bytes.h"
#include "dnsd/answers/host.h"

namespace meshdns::answers {

/// The place -> class arrays that hosts rely on, and where they may stand.
struct HostSurroundings {
  std::vector<std::size_t> classes;  // how many there are, by shape
  std::size_t zones = 0;
  std::int64_t later = 0;  // what is added to times, in Host::kSinceStep
};

/// What a host shares with others
struct HostShares {
  Ref<const HostSpec> spec;
  Ref<const LocalityList> localities;
  Ref<const TextList> texts;
};

/// What is a host's own, as bytes: all but what it shares with others.
class HostBytes {
 public:
  static void write(ByteWriter& io, const Host& host);
  /// Null where the bytes are no host: nothing in it reaches outside of it.
  static Ref<const Host> read(ByteReader& io, const HostSurroundings& around, HostShares shares);

 private:
  template <class Io, class H>
  static void fields(Io& io, H& host);
  static bool is_sound(const Host& host, std::size_t size, const HostSurroundings& around);
  static bool arrays_fit(const Host& host, std::size_t size);
  static bool sets_are_sound(const Host& host, std::size_t classes);
  static bool rows_are_sound(const Host& host);
};

}  // namespace meshdns::answers

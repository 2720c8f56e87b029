#pragma once

#include <cstdint>
#include <vector>

#include "dnsd/answers/bytes.h"
#include "dnsd/answers/host.h"

namespace meshdns::answers {

/// The parts of the table that a host refers to, with which its bytes are compared.
struct HostSurroundings {
  std::vector<std::size_t> classes;  // by shape: the number of its classes
  std::size_t zones = 0;
  std::int64_t later = 0;  // added to all times, in steps of Host::kSinceStep
};

/// The parts that a host refers to. It shares the first three with others.
struct HostShares {
  Ref<const HostSpec> spec;
  Ref<const LocalityList> localities;
  Ref<const TextList> texts;
  Ref<const Hostnames> hostnames;
};

/// Writes and reads a host's own bytes, without the parts that it shares with others.
class HostBytes {
 public:
  static void write(ByteWriter& io, const Host& host);
  /// Reads a host. Whatever the bytes are, nothing in a returned host refers to anything outside of it.
  /// returns: null = the bytes are not a host
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

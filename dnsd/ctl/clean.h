#pragma once

#include <google/protobuf/message.h>

namespace meshdns::ctl {

/// Makes each text of a reply, keys of maps included, one printable line (common/base/printable.h): for replies that
/// are shown to people, whose tables and lines a name could break or forge otherwise.
void clean(google::protobuf::Message& reply);

/// Returns a clean copy. For views: what programs read, and what is sent back to a server, stays as it is.
template <class Reply>
Reply cleaned(const Reply& reply) {
  Reply out = reply;
  clean(out);
  return out;
}

}  // namespace meshdns::ctl

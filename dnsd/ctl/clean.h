#pragma once

#include <google/protobuf/message.h>

namespace meshdns::ctl {

/// Makes each text of a reply, keys of maps included, one printable line (common/base/printable.h). For replies that
/// people read: otherwise a name could break or forge lines and tables.
void clean(google::protobuf::Message& reply);

/// Returns a clean copy, for views. What programs read, and what is sent back to a server, must stay unchanged.
template <class Reply>
Reply cleaned(const Reply& reply) {
  Reply out = reply;
  clean(out);
  return out;
}

}  // namespace meshdns::ctl

#pragma once

#include "common/rpc/tls_files.h"

// Copies of TLS files in memory, for gRPC to read.
//
// How it works: gRPC 1.51 reads the files each second, one after the other. It aborts the process if it finds one of
// them empty, and refuses all connections for a second if key and certificate do not belong together. Both happen
// while somebody writes the files in place. So gRPC is given the paths of files in memory instead:
//
//   fed.key, fed.pem, ca.pem --renew_copies(), if they belong together--> /proc/self/fd/11, 12, 13 --> gRPC
//
// A copy is replaced by another file in memory as a whole (dup3), so that its path never leads to half a file. The
// copies exist until the process ends, because gRPC's threads may read them until then.
//
// Deliberately not done: the three copies are not replaced at the same moment. gRPC may read an old key and a new
// certificate within some microseconds; it refuses that pair, and reads again a second later.
namespace meshdns::rpc {

/// Returns the paths of this process's copies, and makes them if there are none yet. If the files cannot be used, or
/// there is no memory for copies, returns the paths of the files themselves.
/// thread: any
TlsFiles copies_of(const TlsFiles& files);

/// Replaces the copies by what the files hold now, or makes them if there are none yet.
/// returns: false = the files cannot be used, as check() and inspect() say, or cannot be copied; the copies are unchanged
/// thread:  any
bool renew_copies(const TlsFiles& files);

}  // namespace meshdns::rpc

#include "common/kubernetes/collection.h"

#include <gtest/gtest.h>

namespace meshdns::kubernetes {
namespace {

const Collection kPods{"/api/v1/pods", "spec.nodeName=g-n1"};

// The targets that the transcripts of a real API server have.
TEST(Collection, targets) {
  EXPECT_EQ(initial_watch_target(kPods, 300s),
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dg-n1&watch=1&allowWatchBookmarks=true&timeoutSeconds=300"
            "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  EXPECT_EQ(resumed_watch_target(kPods, "255", 601s),
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dg-n1&watch=1&allowWatchBookmarks=true&timeoutSeconds=601"
            "&resourceVersion=255");
  EXPECT_EQ(list_target(kPods, 500, ""), "/api/v1/pods?fieldSelector=spec.nodeName%3Dg-n1&limit=500");
  EXPECT_EQ(list_target({"/api/v1/services"}, 1, "a+/="), "/api/v1/services?limit=1&continue=a%2B%2F%3D");
  EXPECT_EQ(list_target({"/api/v1/services", "", "a in (b,c)"}, 1, ""),
            "/api/v1/services?labelSelector=a%20in%20%28b%2Cc%29&limit=1");
}

TEST(Collection, nothing_in_a_value_leaves_it) {
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("&#?\r\n \xff"), "%26%23%3F%0D%0A%20%FF");
}

TEST(Collection, rules) {
  EXPECT_EQ(rule_of(kPods, Verb::Watch), "apiGroups: [\"\"], resources: [pods], verbs: [watch]");
  EXPECT_EQ(rule_of({"/apis/discovery.k8s.io/v1/endpointslices"}, Verb::List),
            "apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list]");
  EXPECT_EQ(rule_of({"/apis/coordination.k8s.io/v1/namespaces/meshdns/leases"}, Verb::List),
            "apiGroups: [coordination.k8s.io], resources: [leases], verbs: [list]");
}

TEST(Collection, metadata_alone) {
  const Collection nodes{"/api/v1/nodes", "", "", true};
  EXPECT_EQ(accept_of(kPods, Verb::Watch), "application/json");
  EXPECT_EQ(accept_of(nodes, Verb::Watch), "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
  EXPECT_EQ(accept_of(nodes, Verb::List), "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
}

}  // namespace
}  // namespace meshdns::kubernetes

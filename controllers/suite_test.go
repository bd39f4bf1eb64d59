package controllers_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/controllers/manager"
	"github.com/p2pstream/p2pstream/test/lab/certmanager"
	"github.com/p2pstream/p2pstream/test/lab/gatewayapi"
)

// suite is one API server for all tests of the package; each test has a namespace of its own.
var suite struct {
	admin    client.Client
	operator *rest.Config // a user who may do what config/rbac lets the manager do, and nothing else
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "KUBEBUILDER_ASSETS is not set; it names the folder of kube-apiserver and etcd. Use: make unit")
		return 1
	}
	flag.Parse()
	// Tests wait much more than they compute, but they share one API server: with more of them at once, on a machine that is busy, each
	// request of an operator takes a second, and what is waited for comes too late.
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctrl.SetLogger(logr.Discard())
	crds, err := gatewayapi.CRDs(context.Background(), "gateways", "httproutes", "tlsroutes")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	certificates, err := certmanager.CRD()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	crds = append(crds, certificates, "../config/crd/p2pstream.dev_p2pstreams.yaml", "../config/crd/p2pstream.dev_p2pnetworks.yaml")
	env := &envtest.Environment{CRDDirectoryPaths: crds, ErrorIfCRDPathMissing: true,
		ControlPlaneStartTimeout: time.Minute, ControlPlaneStopTimeout: time.Minute}
	// No garbage collector runs here, so the Services of all tests keep their addresses: a default range of 254 is full before the end.
	env.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.0.0.0/16")
	if err := start(env); err != nil {
		fmt.Fprintln(os.Stderr, "starting API server:", err)
		return 1
	}
	// The API server's processes, and the connections to it, which client-go keeps for the life of the program.
	before := []goleak.Option{goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*clientConnReadLoop).run")}
	code := m.Run()
	if err := goleak.Find(before...); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := env.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping API server:", err)
		return 1
	}
	return code
}

func start(env *envtest.Environment) error {
	admin, err := env.Start()
	if err != nil {
		return err
	}
	scheme, err := manager.Scheme()
	if err != nil {
		return err
	}
	admin.QPS, admin.Burst = -1, 0
	if suite.admin, err = client.New(admin, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	user, err := env.AddUser(envtest.User{Name: "operator"}, admin)
	if err != nil {
		return err
	}
	suite.operator = user.Config()
	suite.operator.QPS, suite.operator.Burst = -1, 0
	return prepare(context.Background())
}

// prepare gives the operator its role, and the cluster two nodes.
func prepare(ctx context.Context) error {
	raw, err := os.ReadFile("../config/rbac/manager_role.yaml")
	if err != nil {
		return err
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(raw, role); err != nil {
		return err
	}
	if err := suite.admin.Create(ctx, role); err != nil {
		return err
	}
	if err := suite.admin.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "operator"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "operator"}},
	}); err != nil {
		return err
	}
	for i := range 2 {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d", i+1)}}
		if err := suite.admin.Create(ctx, node); err != nil {
			return err
		}
		node.Status = corev1.NodeStatus{
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("192.0.2.%d", i+1)}},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}},
		}
		if err := suite.admin.Status().Update(ctx, node); err != nil {
			return err
		}
	}
	return nil
}

package api

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func (in *Performer) DeepCopy() *Performer {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec = in.Spec.deepCopy()
	out.Status = in.Status.deepCopy()
	return &out
}

func (in *Performer) DeepCopyObject() runtime.Object { return in.DeepCopy() }

func (in *PerformerList) DeepCopyObject() runtime.Object {
	out := *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Performer, len(in.Items))
	for at := range in.Items {
		out.Items[at] = *in.Items[at].DeepCopy()
	}
	return &out
}

func (in PerformerSpec) deepCopy() PerformerSpec {
	out := in
	if in.Config != nil {
		config := *in.Config
		config.Environment = maps.Clone(config.Environment)
		config.Command = slices.Clone(config.Command)
		config.Args = slices.Clone(config.Args)
		config.Env = nil
		for at := range in.Config.Env {
			config.Env = append(config.Env, *in.Config.Env[at].DeepCopy())
		}
		out.Config = &config
	}
	if in.Resources != nil {
		out.Resources = in.Resources.DeepCopy()
	}
	out.ImagePullSecrets = slices.Clone[[]corev1.LocalObjectReference](in.ImagePullSecrets)
	if in.TerminationGracePeriodSeconds != nil {
		seconds := *in.TerminationGracePeriodSeconds
		out.TerminationGracePeriodSeconds = &seconds
	}
	return out
}

func (in PerformerStatus) deepCopy() PerformerStatus {
	out := in
	if in.ReadyTime != nil {
		out.ReadyTime = in.ReadyTime.DeepCopy()
	}
	// A condition holds values only.
	out.Conditions = slices.Clone(in.Conditions)
	return out
}

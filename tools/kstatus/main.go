// kstatus judges objects as Helm, Flux and other tools do: reads a JSON array of objects from standard input and prints the JSON array
// of their statuses, by the reference implementation of those rules.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var objects []map[string]any
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	// The decoder of Kubernetes, which keeps whole numbers whole.
	if err := kjson.Unmarshal(input, &objects); err != nil {
		return fmt.Errorf("reading a JSON array of objects from standard input: %w", err)
	}
	statuses := make([]string, 0, len(objects))
	for place, object := range objects {
		result, err := status.Compute(&unstructured.Unstructured{Object: object})
		if err != nil {
			return fmt.Errorf("judging object %d: %w", place, err)
		}
		statuses = append(statuses, string(result.Status))
	}
	return json.NewEncoder(os.Stdout).Encode(statuses)
}

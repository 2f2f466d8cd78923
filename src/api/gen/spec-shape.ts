// Generated from src/api/v1alpha1/performer-schema.ts by `npm run generate`; do not edit.
import type { Shape } from '../read-shape.ts';

export const specShape: Shape = {
 "is": "object",
 "fields": {
  "avsAddress": {
   "is": "text"
  },
  "image": {
   "is": "text"
  },
  "imagePullPolicy": {
   "is": "choice",
   "values": [
    "Always",
    "Never",
    "IfNotPresent"
   ],
   "default": "IfNotPresent"
  },
  "replicas": {
   "is": "int",
   "min": 1,
   "max": 100,
   "default": 1
  },
  "version": {
   "is": "text",
   "optional": true
  },
  "config": {
   "is": "object",
   "fields": {
    "grpcPort": {
     "is": "int",
     "min": 1,
     "max": 65535,
     "default": 9090,
     "optional": true
    },
    "environment": {
     "is": "map",
     "of": {
      "is": "text"
     },
     "optional": true
    },
    "environmentFrom": {
     "is": "list",
     "of": {
      "is": "object",
      "fields": {
       "name": {
        "is": "text",
        "minLength": 1,
        "pattern": "^[-._a-zA-Z][-._a-zA-Z0-9]*$"
       },
       "valueFrom": {
        "is": "object",
        "fields": {
         "secretKeyRef": {
          "is": "object",
          "fields": {
           "name": {
            "is": "text",
            "minLength": 1
           },
           "key": {
            "is": "text",
            "minLength": 1
           },
           "optional": {
            "is": "bool",
            "optional": true
           }
          },
          "optional": true
         },
         "configMapKeyRef": {
          "is": "object",
          "fields": {
           "name": {
            "is": "text",
            "minLength": 1
           },
           "key": {
            "is": "text",
            "minLength": 1
           },
           "optional": {
            "is": "bool",
            "optional": true
           }
          },
          "optional": true
         }
        }
       }
      }
     },
     "optional": true
    },
    "env": {
     "is": "list",
     "of": {
      "is": "object",
      "fields": {
       "name": {
        "is": "text",
        "minLength": 1,
        "pattern": "^[-._a-zA-Z][-._a-zA-Z0-9]*$"
       },
       "value": {
        "is": "text",
        "optional": true
       },
       "valueFrom": {
        "is": "object",
        "fields": {
         "fieldRef": {
          "is": "object",
          "fields": {
           "apiVersion": {
            "is": "text",
            "optional": true
           },
           "fieldPath": {
            "is": "text",
            "minLength": 1
           }
          },
          "optional": true
         },
         "resourceFieldRef": {
          "is": "object",
          "fields": {
           "containerName": {
            "is": "text",
            "optional": true
           },
           "resource": {
            "is": "text",
            "minLength": 1
           },
           "divisor": {
            "is": "intOrText",
            "pattern": "^[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?(\\d+(\\.\\d*)?|\\.\\d+))?$",
            "error": "must be a quantity such as 2, 500m or 1Gi",
            "optional": true
           }
          },
          "optional": true
         },
         "secretKeyRef": {
          "is": "object",
          "fields": {
           "name": {
            "is": "text",
            "minLength": 1
           },
           "key": {
            "is": "text",
            "minLength": 1
           },
           "optional": {
            "is": "bool",
            "optional": true
           }
          },
          "optional": true
         },
         "configMapKeyRef": {
          "is": "object",
          "fields": {
           "name": {
            "is": "text",
            "minLength": 1
           },
           "key": {
            "is": "text",
            "minLength": 1
           },
           "optional": {
            "is": "bool",
            "optional": true
           }
          },
          "optional": true
         }
        },
        "optional": true
       }
      }
     },
     "optional": true
    },
    "args": {
     "is": "list",
     "of": {
      "is": "text"
     },
     "optional": true
    },
    "command": {
     "is": "list",
     "of": {
      "is": "text"
     },
     "optional": true
    },
    "serviceAccountName": {
     "is": "text",
     "optional": true
    }
   },
   "optional": true
  },
  "resources": {
   "is": "object",
   "fields": {
    "limits": {
     "is": "map",
     "of": {
      "is": "intOrText",
      "pattern": "^[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?(\\d+(\\.\\d*)?|\\.\\d+))?$",
      "error": "must be a quantity such as 2, 500m or 1Gi"
     },
     "optional": true
    },
    "requests": {
     "is": "map",
     "of": {
      "is": "intOrText",
      "pattern": "^[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?(\\d+(\\.\\d*)?|\\.\\d+))?$",
      "error": "must be a quantity such as 2, 500m or 1Gi"
     },
     "optional": true
    },
    "claims": {
     "is": "list",
     "of": {
      "is": "object",
      "fields": {
       "name": {
        "is": "text",
        "minLength": 1
       },
       "request": {
        "is": "text",
        "optional": true
       }
      }
     },
     "optional": true
    }
   },
   "optional": true
  },
  "scheduling": {
   "is": "object",
   "fields": {
    "nodeSelector": {
     "is": "map",
     "of": {
      "is": "text"
     },
     "optional": true
    },
    "tolerations": {
     "is": "list",
     "of": {
      "is": "object",
      "fields": {
       "key": {
        "is": "text",
        "optional": true
       },
       "operator": {
        "is": "choice",
        "values": [
         "",
         "Exists",
         "Equal"
        ],
        "optional": true
       },
       "value": {
        "is": "text",
        "optional": true
       },
       "effect": {
        "is": "choice",
        "values": [
         "",
         "NoSchedule",
         "PreferNoSchedule",
         "NoExecute"
        ],
        "optional": true
       },
       "tolerationSeconds": {
        "is": "int",
        "min": -9007199254740991,
        "max": 9007199254740991,
        "optional": true
       }
      }
     },
     "optional": true
    },
    "affinity": {
     "is": "object",
     "fields": {
      "nodeAffinity": {
       "is": "object",
       "fields": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
         "is": "object",
         "fields": {
          "nodeSelectorTerms": {
           "is": "list",
           "of": {
            "is": "object",
            "fields": {
             "matchExpressions": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist",
                  "Gt",
                  "Lt"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             },
             "matchFields": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist",
                  "Gt",
                  "Lt"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             }
            }
           }
          }
         },
         "optional": true
        },
        "preferredDuringSchedulingIgnoredDuringExecution": {
         "is": "list",
         "of": {
          "is": "object",
          "fields": {
           "weight": {
            "is": "int",
            "min": 1,
            "max": 100
           },
           "preference": {
            "is": "object",
            "fields": {
             "matchExpressions": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist",
                  "Gt",
                  "Lt"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             },
             "matchFields": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist",
                  "Gt",
                  "Lt"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             }
            }
           }
          }
         },
         "optional": true
        }
       },
       "optional": true
      },
      "podAffinity": {
       "is": "object",
       "fields": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
         "is": "list",
         "of": {
          "is": "object",
          "fields": {
           "labelSelector": {
            "is": "object",
            "fields": {
             "matchLabels": {
              "is": "map",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "matchExpressions": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             }
            },
            "optional": true
           },
           "matchLabelKeys": {
            "is": "list",
            "of": {
             "is": "text"
            },
            "optional": true
           },
           "mismatchLabelKeys": {
            "is": "list",
            "of": {
             "is": "text"
            },
            "optional": true
           },
           "namespaces": {
            "is": "list",
            "of": {
             "is": "text"
            },
            "optional": true
           },
           "namespaceSelector": {
            "is": "object",
            "fields": {
             "matchLabels": {
              "is": "map",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "matchExpressions": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             }
            },
            "optional": true
           },
           "topologyKey": {
            "is": "text"
           }
          }
         },
         "optional": true
        },
        "preferredDuringSchedulingIgnoredDuringExecution": {
         "is": "list",
         "of": {
          "is": "object",
          "fields": {
           "weight": {
            "is": "int",
            "min": 1,
            "max": 100
           },
           "podAffinityTerm": {
            "is": "object",
            "fields": {
             "labelSelector": {
              "is": "object",
              "fields": {
               "matchLabels": {
                "is": "map",
                "of": {
                 "is": "text"
                },
                "optional": true
               },
               "matchExpressions": {
                "is": "list",
                "of": {
                 "is": "object",
                 "fields": {
                  "key": {
                   "is": "text"
                  },
                  "operator": {
                   "is": "choice",
                   "values": [
                    "In",
                    "NotIn",
                    "Exists",
                    "DoesNotExist"
                   ]
                  },
                  "values": {
                   "is": "list",
                   "of": {
                    "is": "text"
                   },
                   "optional": true
                  }
                 }
                },
                "optional": true
               }
              },
              "optional": true
             },
             "matchLabelKeys": {
              "is": "list",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "mismatchLabelKeys": {
              "is": "list",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "namespaces": {
              "is": "list",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "namespaceSelector": {
              "is": "object",
              "fields": {
               "matchLabels": {
                "is": "map",
                "of": {
                 "is": "text"
                },
                "optional": true
               },
               "matchExpressions": {
                "is": "list",
                "of": {
                 "is": "object",
                 "fields": {
                  "key": {
                   "is": "text"
                  },
                  "operator": {
                   "is": "choice",
                   "values": [
                    "In",
                    "NotIn",
                    "Exists",
                    "DoesNotExist"
                   ]
                  },
                  "values": {
                   "is": "list",
                   "of": {
                    "is": "text"
                   },
                   "optional": true
                  }
                 }
                },
                "optional": true
               }
              },
              "optional": true
             },
             "topologyKey": {
              "is": "text"
             }
            }
           }
          }
         },
         "optional": true
        }
       },
       "optional": true
      },
      "podAntiAffinity": {
       "is": "object",
       "fields": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
         "is": "list",
         "of": {
          "is": "object",
          "fields": {
           "labelSelector": {
            "is": "object",
            "fields": {
             "matchLabels": {
              "is": "map",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "matchExpressions": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             }
            },
            "optional": true
           },
           "matchLabelKeys": {
            "is": "list",
            "of": {
             "is": "text"
            },
            "optional": true
           },
           "mismatchLabelKeys": {
            "is": "list",
            "of": {
             "is": "text"
            },
            "optional": true
           },
           "namespaces": {
            "is": "list",
            "of": {
             "is": "text"
            },
            "optional": true
           },
           "namespaceSelector": {
            "is": "object",
            "fields": {
             "matchLabels": {
              "is": "map",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "matchExpressions": {
              "is": "list",
              "of": {
               "is": "object",
               "fields": {
                "key": {
                 "is": "text"
                },
                "operator": {
                 "is": "choice",
                 "values": [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist"
                 ]
                },
                "values": {
                 "is": "list",
                 "of": {
                  "is": "text"
                 },
                 "optional": true
                }
               }
              },
              "optional": true
             }
            },
            "optional": true
           },
           "topologyKey": {
            "is": "text"
           }
          }
         },
         "optional": true
        },
        "preferredDuringSchedulingIgnoredDuringExecution": {
         "is": "list",
         "of": {
          "is": "object",
          "fields": {
           "weight": {
            "is": "int",
            "min": 1,
            "max": 100
           },
           "podAffinityTerm": {
            "is": "object",
            "fields": {
             "labelSelector": {
              "is": "object",
              "fields": {
               "matchLabels": {
                "is": "map",
                "of": {
                 "is": "text"
                },
                "optional": true
               },
               "matchExpressions": {
                "is": "list",
                "of": {
                 "is": "object",
                 "fields": {
                  "key": {
                   "is": "text"
                  },
                  "operator": {
                   "is": "choice",
                   "values": [
                    "In",
                    "NotIn",
                    "Exists",
                    "DoesNotExist"
                   ]
                  },
                  "values": {
                   "is": "list",
                   "of": {
                    "is": "text"
                   },
                   "optional": true
                  }
                 }
                },
                "optional": true
               }
              },
              "optional": true
             },
             "matchLabelKeys": {
              "is": "list",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "mismatchLabelKeys": {
              "is": "list",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "namespaces": {
              "is": "list",
              "of": {
               "is": "text"
              },
              "optional": true
             },
             "namespaceSelector": {
              "is": "object",
              "fields": {
               "matchLabels": {
                "is": "map",
                "of": {
                 "is": "text"
                },
                "optional": true
               },
               "matchExpressions": {
                "is": "list",
                "of": {
                 "is": "object",
                 "fields": {
                  "key": {
                   "is": "text"
                  },
                  "operator": {
                   "is": "choice",
                   "values": [
                    "In",
                    "NotIn",
                    "Exists",
                    "DoesNotExist"
                   ]
                  },
                  "values": {
                   "is": "list",
                   "of": {
                    "is": "text"
                   },
                   "optional": true
                  }
                 }
                },
                "optional": true
               }
              },
              "optional": true
             },
             "topologyKey": {
              "is": "text"
             }
            }
           }
          }
         },
         "optional": true
        }
       },
       "optional": true
      }
     },
     "optional": true
    },
    "runtimeClass": {
     "is": "text",
     "optional": true
    },
    "priorityClassName": {
     "is": "text",
     "optional": true
    }
   },
   "optional": true
  },
  "hardwareRequirements": {
   "is": "object",
   "fields": {
    "gpuType": {
     "is": "text",
     "optional": true
    },
    "gpuCount": {
     "is": "int",
     "min": 0,
     "max": 2147483647,
     "optional": true
    },
    "teeRequired": {
     "is": "bool",
     "optional": true
    },
    "teeType": {
     "is": "text",
     "optional": true
    },
    "customLabels": {
     "is": "map",
     "of": {
      "is": "text"
     },
     "optional": true
    }
   },
   "optional": true
  },
  "imagePullSecrets": {
   "is": "list",
   "of": {
    "is": "object",
    "fields": {
     "name": {
      "is": "text",
      "optional": true
     }
    }
   },
   "optional": true
  },
  "strategy": {
   "is": "object",
   "fields": {
    "type": {
     "is": "choice",
     "values": [
      "RollingUpdate",
      "Recreate"
     ],
     "optional": true
    },
    "rollingUpdate": {
     "is": "object",
     "fields": {
      "maxSurge": {
       "is": "intOrText",
       "min": 0,
       "max": 100,
       "pattern": "^(100|[1-9]?[0-9])%$",
       "error": "must be a number from 0 to 100 or a percentage such as 25%",
       "optional": true
      },
      "maxUnavailable": {
       "is": "intOrText",
       "min": 0,
       "max": 100,
       "pattern": "^(100|[1-9]?[0-9])%$",
       "error": "must be a number from 0 to 100 or a percentage such as 25%",
       "optional": true
      }
     },
     "optional": true
    }
   },
   "optional": true
  },
  "minReadySeconds": {
   "is": "int",
   "min": 0,
   "max": 3600,
   "optional": true
  },
  "progressDeadlineSeconds": {
   "is": "int",
   "min": 1,
   "max": 86400,
   "optional": true
  },
  "drainSeconds": {
   "is": "int",
   "min": 0,
   "max": 3600,
   "optional": true
  },
  "terminationGracePeriodSeconds": {
   "is": "int",
   "min": 0,
   "max": 86400,
   "optional": true
  },
  "nodeLossPolicy": {
   "is": "choice",
   "values": [
    "Route",
    "Strict"
   ],
   "optional": true
  },
  "nodeLossSeconds": {
   "is": "int",
   "min": 0,
   "max": 3600,
   "optional": true
  },
  "probes": {
   "is": "object",
   "fields": {
    "startup": {
     "is": "object",
     "fields": {
      "initialDelaySeconds": {
       "is": "int",
       "min": 0,
       "max": 3600,
       "optional": true
      },
      "periodSeconds": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "timeoutSeconds": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "failureThreshold": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "successThreshold": {
       "is": "int",
       "min": 1,
       "max": 1,
       "optional": true
      }
     },
     "optional": true
    },
    "readiness": {
     "is": "object",
     "fields": {
      "initialDelaySeconds": {
       "is": "int",
       "min": 0,
       "max": 3600,
       "optional": true
      },
      "periodSeconds": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "timeoutSeconds": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "failureThreshold": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "successThreshold": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      }
     },
     "optional": true
    },
    "liveness": {
     "is": "object",
     "fields": {
      "initialDelaySeconds": {
       "is": "int",
       "min": 0,
       "max": 3600,
       "optional": true
      },
      "periodSeconds": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "timeoutSeconds": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "failureThreshold": {
       "is": "int",
       "min": 1,
       "max": 3600,
       "optional": true
      },
      "successThreshold": {
       "is": "int",
       "min": 1,
       "max": 1,
       "optional": true
      }
     },
     "optional": true
    }
   },
   "optional": true
  },
  "security": {
   "is": "object",
   "fields": {
    "profile": {
     "is": "choice",
     "values": [
      "privileged",
      "baseline",
      "restricted"
     ],
     "optional": true
    }
   },
   "optional": true
  },
  "paused": {
   "is": "bool",
   "optional": true
  },
  "managedBy": {
   "is": "text",
   "optional": true
  }
 }
};

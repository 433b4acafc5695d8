import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

kotlin {
    compilerOptions {
        jvmTarget.set(JvmTarget.JVM_1_8)
        // Only what Java 8 has, as Android does: a newer JDK would choose methods that no phone knows.
        freeCompilerArgs.add("-Xjdk-release=1.8")
    }
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

dependencies {
    compileOnly(libs.android.json) // which a phone has in its framework
    testImplementation(libs.android.json)
    testImplementation(libs.junit)
    testImplementation(libs.tensorflow.lite.desktop)
    testRuntimeOnly(libs.junit.launcher)
}

tasks.test {
    useJUnitPlatform()
    for (name in listOf("tfflow.models", "tfflow.screens")) System.getProperty(name)?.let { systemProperty(name, it) }
}
